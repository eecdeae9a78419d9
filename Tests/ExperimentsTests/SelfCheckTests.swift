import CLIPModel
import DenseMath
import Experiments
import Foundation
import Inputs
import Testing

/// The shipped model, through the engine, against what Python's `transformers` computed.
@Suite struct SelfCheckTests {
    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func engineAgreesWithTheReferenceImplementation() throws {
        let manifest = try DatasetsManifest(contentsOf: Self.repository.appendingPathComponent("datasets.manifest"))
        let checks = try SelfCheck(manifest: manifest, model: "emoji-clip").run()
        #expect(checks.count >= 10)
        for check in checks { #expect(check.isPassed, "\(check.name): \(check.found), allowed \(check.allowed)") }
    }

    /// What `precision: bf16` does to the shipped model's embeddings: the figures of BENCHMARKS.md.
    @Test func bf16TurnsEmbeddingsByLessThanADegree() throws {
        let manifest = try DatasetsManifest(contentsOf: Self.repository.appendingPathComponent("datasets.manifest"))
        let clip = try CLIP(folder: manifest.model("emoji-clip").1)
        let dataset = try manifest.dataset("emoji-scenes")
        let compositor = try SceneCompositor(
            sources: dataset.verifiedSources(name: "emoji-scenes"), recipe: dataset.recipe, seed: dataset.seed)
        let count = 200
        let pixels = (0..<count).flatMap { compositor.scene(.val, $0).image.pixels }
        func images(_ vision: VisionTransformer) -> Tensor {
            let pass = vision(pixels, batch: count, VisionWorkspace(vision, capacity: count))
            let d = vision.embeddingWidth
            return Tensor(shape: [count, d], elements: (0..<count * d).map { pass.embeddings[$0] }).rowsNormalised()
        }
        let texts = clip.tokenizer.encode([
            "a cat", "two red cars on a wet road at night", "the", "a photo of a very small blue fish.",
        ])
        let text = (clip.text(texts).rowsNormalised(), clip.text.with(.bf16)(texts).rowsNormalised())
        for (name, exact, rounded) in [
            ("images", images(clip.vision), images(clip.vision.with(.bf16))), ("texts", text.0, text.1),
        ] {
            let cosines = (0..<exact.shape[0]).map { row in
                zip(exact[row: row], rounded[row: row]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }.sorted()
            #expect(
                cosines[0] > 0.99985 && exact != rounded,
                "\(name): median \(cosines[cosines.count / 2]), smallest \(cosines[0])")
        }
    }
}
