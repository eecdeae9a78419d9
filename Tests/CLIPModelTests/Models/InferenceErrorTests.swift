@testable import CLIPModel
import Foundation
import Testing

/// Files of OpenAI's whose shapes are of no CLIP.
@Suite struct InferenceErrorTests {
    static let naming = ParameterNaming.openCLIP(textPrefix: "")
    static let shapes: [String: [Int]] = {
        let configuration = CLIPConfiguration(
            vision: VisionConfiguration(
                imageSize: 16, patchSize: 8, width: 64, layers: 2, heads: 1, mlpWidth: 256, activation: .quickGELU,
                layerNormEpsilon: 1e-5),
            text: TextConfiguration(
                vocabularySize: 24, contextLength: 7, width: 128, layers: 3, heads: 2, mlpWidth: 512,
                activation: .quickGELU, layerNormEpsilon: 1e-5, pooling: .highestToken),
            embeddingWidth: 10)
        return Dictionary(uniqueKeysWithValues: configuration.expectedShapes(naming).map { ($0.name, $0.shape) })
    }()

    func infer(_ shapes: [String: [Int]]) throws(CheckpointError) -> CLIPConfiguration {
        try StatedConfiguration(openAI: shapes, naming: Self.naming, path: "x.pt").configuration
    }

    @Test func aSoundFile() throws {
        let found = try infer(Self.shapes)
        #expect(found.vision.layers == 2 && found.text.layers == 3 && found.text.heads == 2)
        #expect(found.vision.imageSize == 16 && found.embeddingWidth == 10)
    }

    @Test(
        arguments: [
            ("visual.conv1.weight", nil), ("visual.conv1.weight", [64, 3, 8]), ("visual.conv1.weight", [64, 3, 8, 4]),
            ("visual.conv1.weight", [64, 1, 8, 8]), ("visual.conv1.weight", [60, 3, 8, 8]),
            ("visual.conv1.weight", [0, 3, 8, 8]),
            ("visual.conv1.weight", [64, 3, 1 << 40, 1 << 40]), ("visual.positional_embedding", [4, 64]),
            ("visual.positional_embedding", [1, 64]), ("visual.positional_embedding", [Int.max, 64]),
            ("visual.positional_embedding", [1 + 1000 * 1000, 64]), ("visual.proj", nil), ("visual.proj", [64]),
            ("token_embedding.weight", [2, 128]), ("token_embedding.weight", [24, 100]),
            ("positional_embedding", [1, 128]),
            ("transformer.resblocks.0.mlp.c_fc.bias", nil), ("visual.transformer.resblocks.0.mlp.c_fc.bias", [0]),
        ] as [(String, [Int]?)])
    func unsoundShapes(tensor: String, shape: [Int]?) {
        var shapes = Self.shapes
        shapes[tensor] = shape
        do {
            _ = try infer(shapes)
            Issue.record("accepted")
        } catch {
            guard case .cannotInfer("x.pt", tensor, shape, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func noBlocks() {
        #expect(
            throws: CheckpointError.cannotInfer(
                path: "x.pt", tensor: "transformer.resblocks.0", found: nil, expected: "at least one block")
        ) { try infer(Self.shapes.filter { !$0.key.hasPrefix("transformer.resblocks.") }) }
    }

    @Test func aMissingBlockIsAMissingParameter() throws {
        let shapes = Self.shapes.filter {
            !$0.key.hasPrefix("visual.transformer.resblocks.0.attn")
                && !$0.key.hasPrefix("visual.transformer.resblocks.1.ln")
        }
        let configuration = try infer(shapes)
        #expect(throws: ConfigurationError.self) {
            try configuration.check(shapes: shapes, naming: Self.naming, path: "")
        }
    }

    @Test func buffersAreNoParameters() throws {
        var shapes = Self.shapes
        for name in ["input_resolution", "context_length", "vocab_size"] { shapes[name] = [] }
        shapes["attn_mask"] = [7, 7]
        shapes["transformer.resblocks.1.attn_mask"] = [7, 7]
        shapes["logit_scale"] = [1]
        try infer(shapes).check(shapes: shapes, naming: Self.naming, path: "")
        shapes["visual.attn_pool.query"] = [1]
        #expect(
            throws: ConfigurationError.parametersDisagree(
                path: "", missing: [], unexpected: ["visual.attn_pool.query"], mismatched: [])
        ) { try infer(shapes).check(shapes: shapes, naming: Self.naming, path: "") }
    }
}
