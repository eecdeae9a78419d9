import CLIPModel
import Testing

/// Checkpoints that do not fit their configuration.
@Suite struct ParameterShapeTests {
    private let configuration = CLIPConfiguration(
        vision: VisionConfiguration(
            imageSize: 8, patchSize: 4, width: 6, layers: 1, heads: 2, mlpWidth: 10,
            activation: .quickGELU, layerNormEpsilon: 1e-5),
        text: TextConfiguration(
            vocabularySize: 20, contextLength: 5, width: 4, layers: 1, heads: 2, mlpWidth: 8,
            activation: .quickGELU, layerNormEpsilon: 1e-5, pooling: .highestToken),
        embeddingWidth: 3)

    private var shapes: [String: [Int]] {
        Dictionary(uniqueKeysWithValues: configuration.expectedShapes.map { ($0.name, $0.shape) })
    }

    @Test func sizesThatFollowFromOthers() {
        #expect(configuration.vision.gridSize == 2)
        #expect(configuration.vision.tokens == 5)
        #expect(configuration.vision.headWidth == 3)
        #expect(configuration.text.headWidth == 2)
    }

    @Test func namesAreUnique() {
        #expect(shapes.count == configuration.expectedShapes.count)
    }

    @Test func aCheckpointMayHavePositionIDs() throws {
        var shapes = shapes
        shapes["text_model.embeddings.position_ids"] = [1, 5]
        shapes["vision_model.embeddings.position_ids"] = [1, 5]
        try configuration.check(shapes: shapes, path: "model.safetensors")
    }

    @Test func everyDisagreementIsListed() {
        var shapes = shapes
        shapes["logit_scale"] = nil
        shapes["text_projection.weight"] = nil
        shapes["zebra"] = [1]
        shapes["text_model.embeddings.position_ids.weight"] = [1, 5]
        shapes["vision_model.encoder.layers.0.mlp.fc1.weight"] = [6, 10]
        #expect(
            throws: ConfigurationError.parametersDisagree(
                path: "model.safetensors",
                missing: ["logit_scale", "text_projection.weight"],
                unexpected: ["text_model.embeddings.position_ids.weight", "zebra"],
                mismatched: [
                    .init(
                        name: "vision_model.encoder.layers.0.mlp.fc1.weight",
                        expected: [10, 6], found: [6, 10])
                ])
        ) {
            try configuration.check(shapes: shapes, path: "model.safetensors")
        }
    }
}
