import CLIPModel
import DenseMath
import Foundation
import Safetensors
import Testing

/// Towers that scripts of this folder's fixtures write.
extension SafetensorsFile {
    convenience init(fixture name: String) throws {
        try self.init(
            contentsOf: #require(
                Bundle.module.url(forResource: name, withExtension: "safetensors", subdirectory: "Fixtures")))
    }

    func matrix(_ name: String) throws -> Tensor { Tensor(shape: try tensor(name).shape, elements: try floats(name)) }

    func vision(_ configuration: VisionConfiguration) throws -> VisionTransformer {
        VisionTransformer(
            configuration: configuration, patchEmbedding: try matrix("patchEmbedding"),
            classEmbedding: try floats("classEmbedding"), positionEmbedding: try matrix("positionEmbedding"),
            inputNorm: try norm("inputNorm", configuration.layerNormEpsilon),
            blocks: try (0..<configuration.layers).map {
                try block($0, heads: configuration.heads, configuration.activation, configuration.layerNormEpsilon)
            },
            readout: try readout(configuration.layerNormEpsilon),
            normalisation: PixelNormalisation(mean: [0.48, 0.46, 0.41], standardDeviation: [0.27, 0.26, 0.28]))
    }

    func text(_ configuration: TextConfiguration) throws -> TextTransformer {
        TextTransformer(
            configuration: configuration, tokenEmbedding: try matrix("tokenEmbedding"),
            positionEmbedding: try matrix("positionEmbedding"),
            blocks: try (0..<configuration.layers).map {
                try block($0, heads: configuration.heads, configuration.activation, configuration.layerNormEpsilon)
            },
            readout: try readout(configuration.layerNormEpsilon))
    }

    private func readout(_ epsilon: Float) throws -> Readout {
        Readout(norm: try norm("outputNorm", epsilon), projection: try matrix("projection"))
    }

    private func norm(_ name: String, _ epsilon: Float) throws -> LayerNorm {
        LayerNorm(weight: try floats("\(name).weight"), bias: try floats("\(name).bias"), epsilon: epsilon)
    }

    private func linear(_ name: String) throws -> Linear {
        Linear(weight: try matrix("\(name).weight"), bias: try floats("\(name).bias"))
    }

    private func block(_ layer: Int, heads: Int, _ activation: Activation, _ epsilon: Float) throws -> TransformerBlock
    {
        TransformerBlock(
            heads: heads, attentionNorm: try norm("\(layer).attentionNorm", epsilon),
            queryKeyValue: try linear("\(layer).queryKeyValue"),
            attentionOutput: try linear("\(layer).attentionOutput"),
            mlpNorm: try norm("\(layer).mlpNorm", epsilon), mlpInput: try linear("\(layer).mlpInput"),
            activation: activation, mlpOutput: try linear("\(layer).mlpOutput"))
    }
}
