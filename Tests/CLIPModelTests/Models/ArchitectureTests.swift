@testable import CLIPModel
import DenseMath
import Foundation
import TestSupport
import Testing

/// Architectures that were published, against what OpenCLIP builds of its own configurations.
@Suite struct ArchitectureTests {
    struct Oracle: Decodable { var cases: [Case] }

    struct Case: Decodable, CustomTestStringConvertible {
        struct Tower: Decodable {
            var layers: Int
            var heads: Int
            var width: Int
            var mlpWidth: Int
            var quick: Bool
            var epsilon: Float
            var activation: Activation { quick ? .quickGELU : .gelu }
        }

        var name: String
        /// The text of open_clip_config.json.
        var configuration: String
        var image: Tower
        var text: Tower
        var imageSize: Int
        var patchSize: Int
        var contextLength: Int
        var vocabularySize: Int
        var embeddingWidth: Int
        var tensors: Int
        var parameters: Int
        var testDescription: String { name }

        /// What OpenCLIP built.
        var expected: CLIPConfiguration {
            CLIPConfiguration(
                vision: VisionConfiguration(
                    imageSize: imageSize, patchSize: patchSize, width: image.width, layers: image.layers,
                    heads: image.heads, mlpWidth: image.mlpWidth, activation: image.activation,
                    layerNormEpsilon: image.epsilon),
                text: TextConfiguration(
                    vocabularySize: vocabularySize, contextLength: contextLength, width: text.width,
                    layers: text.layers,
                    heads: text.heads, mlpWidth: text.mlpWidth, activation: text.activation,
                    layerNormEpsilon: text.epsilon, pooling: .highestToken),
                embeddingWidth: embeddingWidth)
        }

        func parsed() throws -> CLIPConfiguration {
            let folder = try TemporaryFolder(["open_clip_config.json": Data(configuration.utf8)])
            let file = try ConfigurationSection(contentsOf: folder.url.appendingPathComponent("open_clip_config.json"))
            return try StatedConfiguration(openCLIP: file).configuration
        }
    }

    static func cases() throws -> [Case] { try Fixtures.decode(Oracle.self, "Architectures/open_clip.json").cases }

    @Test func configurationsAreReadAsOpenCLIPReadsThem() throws {
        for item in try Self.cases() {
            let parsed = try item.parsed()
            #expect(parsed == item.expected, "\(item.name)")
            for prefix in ["", "text."] {
                let shapes = parsed.expectedShapes(.openCLIP(textPrefix: prefix))
                #expect(shapes.count == item.tensors, "\(item.name)")
                #expect(shapes.map { $0.shape.reduce(1, *) }.reduce(0, +) == item.parameters, "\(item.name)")
                #expect(Set(shapes.map(\.name)).count == shapes.count, "\(item.name)")
            }
        }
    }

    @Test func headsOfLAIONsLargestModelsAreNot64Wide() throws {
        let huge = try #require(try Self.cases().first { $0.name == "ViT-H-14" }).parsed()
        #expect(huge.vision.headWidth == 80 && huge.vision.heads == 16 && huge.vision.activation == .gelu)
    }

    @Test func openAIsArchitecturesShowInTheirShapes() throws {
        // What OpenAI published, under the names that OpenCLIP gives it.
        let published = try Self.cases().filter { $0.name.hasSuffix("-quickgelu") }
        #expect(
            published.map(\.name) == ["ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336"].map { $0 + "-quickgelu" })
        for item in published {
            let naming = ParameterNaming.openCLIP(textPrefix: "")
            let shapes = Dictionary(
                uniqueKeysWithValues: item.expected.expectedShapes(naming).map { ($0.name, $0.shape) })
            let inferred = try StatedConfiguration(openAI: shapes, naming: naming, path: "")
            #expect(inferred.configuration == item.expected, "\(item.name)")
            #expect(inferred.imageActivationSource == .publisher && inferred.textActivationSource == .publisher)
        }
    }
}
