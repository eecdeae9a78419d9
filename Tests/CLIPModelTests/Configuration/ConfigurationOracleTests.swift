import DenseMath
import CLIPModel
import Foundation
import TestSupport
import Testing

/// Configurations against what `transformers` makes of them, of
/// `scripts/make_configuration_fixtures.py`.
@Suite struct ConfigurationOracleTests {
    private struct Oracle: Decodable {
        var cases: [Case]
        var preprocessors: [PreprocessorCase]
    }

    private struct Case: Decodable {
        struct Expected: Decodable {
            var embeddingWidth: Int
            var text: Tower
            var vision: Tower
            var tensors: Int
            var parameters: Int
        }

        var name: String
        /// The text of config.json.
        var configuration: String
        var expected: Expected
        var shapes: [String: [Int]]?
    }

    /// A section of the configuration, with the keys of either tower.
    private struct Tower: Decodable {
        var hidden_size: Int
        var num_hidden_layers: Int
        var num_attention_heads: Int
        var intermediate_size: Int
        var hidden_act: String
        var layer_norm_eps: Float
        var vocab_size: Int?
        var max_position_embeddings: Int?
        var eos_token_id: Int?
        var image_size: Int?
        var patch_size: Int?

        func text() throws -> TextConfiguration {
            TextConfiguration(
                vocabularySize: try #require(vocab_size),
                contextLength: try #require(max_position_embeddings),
                width: hidden_size, layers: num_hidden_layers, heads: num_attention_heads,
                mlpWidth: intermediate_size,
                activation: try #require(Activation(rawValue: hidden_act)),
                layerNormEpsilon: layer_norm_eps,
                pooling: eos_token_id == 2
                    ? .highestToken : .firstOccurrence(of: try #require(eos_token_id)))
        }

        func vision() throws -> VisionConfiguration {
            VisionConfiguration(
                imageSize: try #require(image_size), patchSize: try #require(patch_size),
                width: hidden_size, layers: num_hidden_layers, heads: num_attention_heads,
                mlpWidth: intermediate_size,
                activation: try #require(Activation(rawValue: hidden_act)),
                layerNormEpsilon: layer_norm_eps)
        }
    }

    private struct PreprocessorCase: Decodable {
        struct Expected: Decodable {
            var shortestEdge: Int?
            /// Height and width, null where the shortest edge is given.
            var size: [Int?]
            var crop: [Int]
            var doResize: Bool
            var doCrop: Bool
            var resample: Int
            var rescaleFactor: Double
            var mean: [Float]
            var std: [Float]
        }

        var name: String
        /// The text of preprocessor_config.json.
        var configuration: String
        var expected: Expected
    }

    private let oracle: Oracle

    init() throws {
        oracle = try Fixtures.decode(Oracle.self, "Configuration/cases.json")
    }

    @Test func configurationsAreThoseOfTransformers() throws {
        #expect(oracle.cases.count == 7)
        for item in oracle.cases {
            let folder = try TemporaryFolder(["config.json": Data(item.configuration.utf8)])
            let found = try CLIPConfiguration(folder: folder.url)
            let expected = CLIPConfiguration(
                vision: try item.expected.vision.vision(), text: try item.expected.text.text(),
                embeddingWidth: item.expected.embeddingWidth)
            #expect(found == expected, "\(item.name)")

            let shapes = found.expectedShapes
            #expect(shapes.count == item.expected.tensors, "\(item.name)")
            let parameters = shapes.reduce(0) { $0 + $1.shape.reduce(1, *) }
            #expect(parameters == item.expected.parameters, "\(item.name)")
        }
    }

    @Test func parametersAreThoseOfTransformers() throws {
        let item = try #require(oracle.cases.first { $0.shapes != nil })
        let expected = try #require(item.shapes)
        let folder = try TemporaryFolder(["config.json": Data(item.configuration.utf8)])
        let configuration = try CLIPConfiguration(folder: folder.url)
        let found = Dictionary(
            uniqueKeysWithValues: configuration.expectedShapes.map { ($0.name, $0.shape) })
        #expect(found == expected)
        try configuration.check(shapes: expected, path: "model.safetensors")
    }

    @Test func preprocessorsAreThoseOfTransformers() throws {
        #expect(oracle.preprocessors.count == 5)
        for item in oracle.preprocessors {
            let expected = item.expected
            let folder = try TemporaryFolder([
                "preprocessor_config.json": Data(item.configuration.utf8)
            ])
            let imageSize = try #require(expected.doCrop ? expected.crop[0] : expected.size[0])
            let found = try PreprocessingConfiguration(folder: folder.url, imageSize: imageSize)

            switch found.resize {
            case nil:
                #expect(!expected.doResize, "\(item.name)")
            case .shortestEdge(let edge):
                #expect(expected.doResize && edge == expected.shortestEdge, "\(item.name)")
            case .exact(let size):
                #expect(expected.doResize, "\(item.name)")
                #expect([size.height, size.width] == expected.size, "\(item.name)")
            }
            let crop = found.crop.map { [$0.height, $0.width] }
            #expect(crop == (expected.doCrop ? expected.crop : nil), "\(item.name)")
            #expect(found.resampling.rawValue == expected.resample, "\(item.name)")
            #expect(found.rescaleFactor == expected.rescaleFactor, "\(item.name)")
            #expect(found.mean == expected.mean, "\(item.name)")
            #expect(found.standardDeviation == expected.std, "\(item.name)")
        }
    }
}
