import CLIPModel
import DenseMath
import TestSupport
import Testing

@testable import Attribution

/// Gradients, relevances and maps against PyTorch in float64, with both non-linearities.
@Suite struct AttributionReferenceTests {
    /// Calls `body` with a pass that has run, for each image and each non-linearity.
    func forEachImage(_ body: (Reference, Int, AttributionPass) throws -> Void) throws {
        for activation in Activation.allCases {
            let reference = try Reference(activation)
            let workspace = AttributionWorkspace(
                reference.vision, classifier: reference.classifier, logitScale: reference.logitScale)
            for image in 0..<Reference.imageCount {
                try body(reference, image, workspace.run(try reference.image(image)))
            }
        }
    }

    @Test func representationAndLogits() throws {
        try forEachImage { reference, image, pass in
            let d = reference.vision.embeddingWidth
            let error = relativeError(array(pass.representation, d), try reference.expected(image, "representation"))
            #expect(error < 1e-5, "representation of image \(image) off by \(error)")
            let logits = relativeError(pass.logits, try reference.expected(image, "logits"))
            #expect(logits < 1e-5, "logits of image \(image) off by \(logits)")

            let plain = reference.vision(
                try reference.image(image), batch: 1, VisionWorkspace(reference.vision, capacity: 1))
            let engine = relativeError(
                array(pass.representation, d), array(plain.embeddings, d).map(Double.init))
            #expect(engine < 1e-5, "image \(image) off by \(engine) from the engine's forward pass")
        }
    }

    @Test func gradientsOfEveryLayersAttention() throws {
        try forEachImage { reference, image, pass in
            let size = reference.vision.configuration.heads * reference.vision.tokens * reference.vision.tokens
            let all = AttentionGradients(reference.vision, lowestLayer: 0)
            all.run(pass.record, weights: reference.weights(image), scale: reference.logitScale)
            let declared = pass.gradients(of: reference.labels[image])
            for layer in 0..<reference.vision.blocks.count {
                let expected = try reference.expected(image, "gradient.\(layer)")
                let error = relativeError(array(all[layer], size), expected)
                #expect(error < 1e-4, "gradient of layer \(layer), image \(image), off by \(error)")
                guard layer >= declared.lowestLayer else { continue }
                #expect(array(declared[layer], size) == array(all[layer], size))
            }
        }
    }

    @Test(arguments: [RelevanceRule.modified, .original])
    func relevanceOfEveryLayersAttentionAndOfThePixels(rule: RelevanceRule) throws {
        try forEachImage { reference, image, pass in
            let (configuration, name) = (reference.vision.configuration, rule == .modified ? "modified" : "original")
            let relevance = AttentionRelevance(
                reference.vision, streams: [RelevanceStream(rule: rule, lowestLayer: RelevanceStream.pixels)])
            relevance.run(pass.record, weights: reference.weights(image))
            let size = configuration.heads * configuration.tokens * configuration.tokens
            for layer in 0..<configuration.layers {
                let error = relativeError(
                    array(relevance[rule, layer], size), try reference.expected(image, "\(name).\(layer)"))
                #expect(error < 1e-4, "\(name) relevance of layer \(layer), image \(image), off by \(error)")
            }
            let pixels = try #require(relevance.pixels).pixels.elements
            let error = relativeError(
                pixels, Self.patches(try reference.expected(image, "\(name).pixels"), configuration))
            #expect(error < 1e-4, "\(name) relevance of the pixels, image \(image), off by \(error)")
        }
    }

    @Test(arguments: AttributionMethod.all) func maps(method: AttributionMethod) throws {
        try forEachImage { reference, image, pass in
            let map =
                method == .secondOrder
                ? pass.secondOrderMap(neurons: reference.neurons) : pass.map(method, class: reference.labels[image])
            let configuration = reference.vision.configuration
            #expect(map.side == (method == .lrp ? configuration.imageSize : configuration.gridSize))
            let error = relativeError(map.values, try reference.expected(image, "map.\(method.name)"))
            #expect(error < 1e-4, "\(method.name) of image \(image) off by \(error)")
        }
    }

    /// [3, size, size] → [patches, 3 · patch · patch]
    static func patches(_ image: [Double], _ configuration: VisionConfiguration) -> [Double] {
        let (size, patch, grid) = (configuration.imageSize, configuration.patchSize, configuration.gridSize)
        var result: [Double] = []
        for cell in 0..<grid * grid {
            for channel in 0..<3 {
                for y in 0..<patch {
                    let start = (channel * size + cell / grid * patch + y) * size + cell % grid * patch
                    result += image[start..<start + patch]
                }
            }
        }
        return result
    }
}
