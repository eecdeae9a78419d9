import CLIPModel
import DenseMath
import Foundation
import Inputs
import Safetensors

/// The engine against vectors that Python's `transformers` computed for the same model folder; they stand
/// in its `reference.json` and `reference.safetensors`, made by `scripts/make_clip_fixtures.py`.
public struct SelfCheck {
    /// One comparison.
    public struct Check: Sendable {
        public let name: String
        public let found: String
        public let allowed: String
        public let isPassed: Bool
    }

    /// Largest absolute difference of unit embeddings.
    public static let embeddingTolerance: Float = 1e-5
    /// Largest difference of the class token's residual stream, as a share of its length.
    public static let activationTolerance: Float = 1e-4

    private struct Reference: Decodable {
        let scenes: [Int]
        let split: String
        let scenesDigest: String
        let texts: [String]
        let tokenIds: [[Int]]
    }

    private let folder: URL
    private let dataset: DatasetsManifest.DatasetEntry
    private let datasetName: String

    /// - Throws: `InputError` when model or data set are missing or damaged.
    public init(manifest: DatasetsManifest, model: String, dataset: String = "emoji-scenes") throws {
        let (entry, folder) = try manifest.model(model)
        _ = try entry.verify(folder, name: model)
        self.folder = folder
        self.dataset = try manifest.dataset(dataset)
        datasetName = dataset
    }

    /// - Throws: what reading model, data or reference throws.
    public func run() throws -> [Check] {
        let reference = try readReference()
        let vectors = try SafetensorsFile(contentsOf: folder.appendingPathComponent("reference.safetensors"))
        let clip = try CLIP(folder: folder)
        let compositor = try SceneCompositor(
            sources: dataset.verifiedSources(name: datasetName), recipe: dataset.recipe, seed: dataset.seed)
        guard let split = SceneSplit(rawValue: reference.split) else {
            throw InputError.unknownSplit(name: reference.split, known: SceneSplit.allCases.map(\.rawValue))
        }
        let pixels = reference.scenes.flatMap { compositor.scene(split, $0).image.pixels }

        let ids = clip.tokenizer.encode(reference.texts)
        let wrong = zip(ids, reference.tokenIds).count { $0 != $1 }
        let images = largestDifference(clip.embed(images: pixels).elements, try vectors.floats("imageEmbeddings"))
        let texts = largestDifference(clip.embed(texts: reference.texts).elements, try vectors.floats("textEmbeddings"))
        let digest = ContentDigest.sha256(Data(pixels))
        return [
            Check(
                name: "\(reference.scenes.count) scenes, bytes", found: String(digest.prefix(12)),
                allowed: String(reference.scenesDigest.prefix(12)), isPassed: digest == reference.scenesDigest),
            Check(
                name: "\(reference.texts.count) texts, token ids that differ", found: "\(wrong)", allowed: "0",
                isPassed: wrong == 0 && ids.count == reference.tokenIds.count),
            number("image embeddings", images, Self.embeddingTolerance),
            number("text embeddings", texts, Self.embeddingTolerance),
        ] + (try residualChecks(clip.vision, pixels: pixels, vectors))
    }

    /// The class token after ln_pre and after every layer, for the first scenes.
    private func residualChecks(_ vision: VisionTransformer, pixels: [UInt8], _ vectors: SafetensorsFile) throws -> [Check] {
        let expected = try vectors.floats("classTokens")  // [scenes, 1 + layers, D]
        let count = vectors.tensors["classTokens"]?.shape.first ?? 0
        let workspace = VisionWorkspace(vision, capacity: max(count, 1))
        vision.embed(pixels, batch: count, workspace)
        return (0...vision.blocks.count).map { layer in
            if layer > 0 { vision.run(layer - 1..<layer, workspace) }
            var worst: Float = 0
            for scene in 0..<count {
                let start = (scene * (vision.blocks.count + 1) + layer) * vision.width
                var (difference, length) = (Float(0), Float(0))
                for i in 0..<vision.width {
                    let value = expected[start + i]
                    let delta = workspace.x.base[scene * vision.tokens * vision.width + i] - value
                    difference += delta * delta
                    length += value * value
                }
                worst = max(worst, (difference / max(length, .leastNormalMagnitude)).squareRoot())
            }
            return number(layer == 0 ? "class token after ln_pre" : "class token after layer \(layer - 1)", worst, Self.activationTolerance)
        }
    }

    private func readReference() throws -> Reference {
        let url = folder.appendingPathComponent("reference.json")
        guard let data = try? Data(contentsOf: url) else {
            throw InputError.missingFile(path: url.path, purpose: "the vectors of the reference implementation")
        }
        do {
            return try JSONDecoder().decode(Reference.self, from: data)
        } catch {
            throw InputError.malformedFile(path: url.path, place: "top level", expected: "what scripts/make_clip_fixtures.py writes")
        }
    }

    private func number(_ name: String, _ found: Float, _ allowed: Float) -> Check {
        Check(name: name, found: "\(found)", allowed: "\(allowed)", isPassed: found <= allowed)
    }

    /// Infinite where the counts differ.
    private func largestDifference(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count else { return .infinity }
        return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
}
