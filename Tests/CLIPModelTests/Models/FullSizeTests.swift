@testable import CLIPModel
import DenseMath
import Foundation
import Foundations
import Safetensors
import TestSupport
import Testing

/// A ViT-B/32 of full size, whose weights follow from the names of its tensors, against OpenCLIP's embeddings of
/// `scripts/make_architecture_fixtures.py`.
@Suite(.serialized) struct FullSizeTests {
    /// Weights that are made when they are asked for.
    struct GeneratedWeights: Weights {
        let path = "generated"
        let records: [String: WeightRecord]

        init(_ configuration: CLIPConfiguration) {
            records = Dictionary(
                uniqueKeysWithValues: configuration.expectedShapes(.openCLIP(textPrefix: "")).map {
                    ($0.name, WeightRecord(type: .float32, shape: $0.shape, path: "generated"))
                })
        }

        func tensor(_ name: String) throws -> StoredTensor {
            let shape = try #require(records[name]).shape
            let row = shape.dropFirst().reduce(1, *)
            let isMatrix = shape.count >= 2
            let centre: Float = isMatrix ? 0 : name == "logit_scale" ? 2 : name.hasSuffix(".weight") ? 1 : 0
            let amplitude: Float = isMatrix ? 1.5 / Float(row).squareRoot() : 0.2
            var random = Self.draws(name)
            let count = shape.reduce(1, *)
            let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
                for i in 0..<count {
                    let uniform = Float(random.next() >> 40) * 0x1p-24
                    buffer[i] = centre + amplitude * (2 * uniform - 1)
                }
                initialized = count
            }
            return try StoredTensor(values, shape: shape)
        }

        /// The stream that is named so.
        static func draws(_ label: String) -> SplitMix64 {
            SplitMix64(seed: label.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 })
        }
    }

    static let images = 2
    static let lengths = [3, 20, 77]

    static func texts() -> [[Int]] {
        var random = GeneratedWeights.draws("tokens")
        return lengths.map { length in
            [49406] + (0..<length - 2).map { _ in Int(random.next() % 49406) } + [49407]
        }
    }

    @Test func embeddingsOfAViTB32AreOpenCLIPs() throws {
        let fixture = Fixtures.folder.appendingPathComponent("Architectures")
        let configuration = try #require(try ArchitectureTests.cases().first { $0.name == "ViT-B-32-quickgelu" })
            .parsed()
        let checkpoint = try Checkpoint(
            GeneratedWeights(configuration), naming: .openCLIP(textPrefix: ""), configuration: configuration)
        let expected = try SafetensorsFile(contentsOf: fixture.appendingPathComponent("ViT-B-32.safetensors"))

        let text = try TextTransformer(checkpoint, configuration.text)
        let textError = relativeError(text(Self.texts()).elements, try expected.doubles("textEmbeddings"))
        #expect(textError < 1e-4, "text embeddings: relative error \(textError)")

        let vision = try VisionTransformer(checkpoint, configuration.vision, .openAI(imageSize: 224))
        var random = GeneratedWeights.draws("pixels")
        let pixels = (0..<Self.images * 224 * 224 * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let pass = vision(pixels, batch: Self.images, VisionWorkspace(vision, capacity: Self.images))
        let found = (0..<Self.images * vision.embeddingWidth).map { pass.embeddings[$0] }
        let imageError = relativeError(found, try expected.doubles("imageEmbeddings"))
        #expect(imageError < 1e-4, "image embeddings: relative error \(imageError)")
    }
}
