import CLIPModel
import DenseMath
import Foundation
import Foundations
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
        guard reference.scenes.allSatisfy({ (0..<(split.count ?? .max)).contains($0) }) else {
            throw InputError.malformedFile(
                path: folder.appendingPathComponent("reference.json").path, place: "scenes",
                expected: "indices of the split \(reference.split)")
        }
        let pixels = reference.scenes.flatMap { compositor.scene(split, $0).image.pixels }

        let ids = clip.tokenizer.encode(reference.texts)
        let wrong = zip(ids, reference.tokenIds).count { $0 != $1 }
        let images = largestDifference(clip.embed(images: pixels).elements, try vectors.floats("imageEmbeddings"))
        let texts = largestDifference(clip.embed(texts: reference.texts).elements, try vectors.floats("textEmbeddings"))
        let digest = Digest.sha256(of: Data(pixels))
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
    private func residualChecks(_ vision: VisionTransformer, pixels: [UInt8], _ vectors: SafetensorsFile) throws
        -> [Check]
    {
        let expected = try vectors.floats("classTokens")  // [scenes, 1 + layers, D]
        let shape = vectors.tensors["classTokens"]?.shape ?? []
        let imageBytes = 3 * vision.configuration.imageSize * vision.configuration.imageSize
        guard let count = shape.first, count > 0, count * imageBytes <= pixels.count,
            shape == [count, vision.blocks.count + 1, vision.width]
        else {
            throw InputError.malformedFile(
                path: vectors.path, place: "classTokens",
                expected: "shape [scenes, \(vision.blocks.count + 1), \(vision.width)], found \(shape)")
        }
        let workspace = VisionWorkspace(
            vision, capacity: max(count, 1),
            capturing: vision.blocks.map { _ in [.attentionInput, .output] })
        let pass = vision(pixels, batch: count, workspace)
        return (0...vision.blocks.count).map { layer in
            let tokens = layer == 0 ? pass.capture(0)[.attentionInput] : pass.capture(layer - 1)[.output]
            let errors = (0..<count).map { scene -> Float in
                let start = (scene * (vision.blocks.count + 1) + layer) * vision.width
                var (difference, length) = (Float(0), Float(0))
                for i in 0..<vision.width {
                    let value = expected[start + i]
                    let delta = tokens[vision.layout.classRow(of: scene) * vision.width + i] - value
                    difference += delta * delta
                    length += value * value
                }
                return (difference / Swift.max(length, .leastNormalMagnitude)).squareRoot()
            }
            let place = layer == 0 ? "ln_pre" : "layer \(layer - 1)"
            return number("class token after \(place)", errors.largestMagnitude(), Self.activationTolerance)
        }
    }

    private func readReference() throws -> Reference {
        let url = folder.appendingPathComponent("reference.json")
        guard let data = try? RegularFile.contents(of: url.path, limit: 1 << 26) else {
            throw InputError.missingFile(path: url.path, purpose: "the vectors of the reference implementation")
        }
        do {
            return try JSONDecoder().decode(Reference.self, from: data)
        } catch {
            throw InputError.malformedFile(
                path: url.path, place: "top level", expected: "what scripts/make_clip_fixtures.py writes")
        }
    }

    private func number(_ name: String, _ found: Float, _ allowed: Float) -> Check {
        Check(name: name, found: "\(found)", allowed: "\(allowed)", isPassed: found <= allowed)
    }

    /// Infinite where the counts differ or there is nothing to compare.
    private func largestDifference(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count, !found.isEmpty else { return .infinity }
        return zip(found, expected).map { $0 - $1 }.largestMagnitude()
    }
}
