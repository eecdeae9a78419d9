import CLIPModel
import DenseMath
import Foundations

/// Small image towers with seeded random weights in which every bias and every norm matters.
public enum RandomVision {
    /// The size of the default tower: small enough for a literal evaluation of every formula.
    public static let configuration = VisionConfiguration(
        imageSize: 8, patchSize: 4, width: 16, layers: 4, heads: 2, mlpWidth: 24, activation: .quickGELU,
        layerNormEpsilon: 1e-5)

    public static func make(
        _ configuration: VisionConfiguration = configuration, embeddingWidth: Int = 10, seed: UInt64 = 1
    ) -> VisionTransformer {
        var random = SplitMix64(seed: seed)
        let (D, N) = (configuration.width, configuration.mlpWidth)
        func values(_ count: Int, scale: Double, around centre: Double = 0) -> [Float] {
            // The sum of three uniforms: bell-shaped enough, and without a logarithm that differs between machines.
            (0..<count).map { _ in
                Float(centre + 2 * scale * (random.uniform() + random.uniform() + random.uniform() - 1.5))
            }
        }
        func matrix(_ rows: Int, _ columns: Int, scale: Double) -> Tensor {
            Tensor(shape: [rows, columns], elements: values(rows * columns, scale: scale))
        }
        func linear(_ rows: Int, _ columns: Int) -> Linear {
            Linear(
                weight: matrix(rows, columns, scale: 1 / Double(columns).squareRoot()), bias: values(rows, scale: 0.2))
        }
        func norm() -> LayerNorm {
            LayerNorm(
                weight: values(D, scale: 0.2, around: 1), bias: values(D, scale: 0.2),
                epsilon: configuration.layerNormEpsilon)
        }
        return VisionTransformer(
            configuration: configuration,
            patchEmbedding: matrix(D, 3 * configuration.patchSize * configuration.patchSize, scale: 0.2),
            classEmbedding: values(D, scale: 1),
            positionEmbedding: matrix(configuration.tokens, D, scale: 0.5),
            inputNorm: norm(),
            blocks: (0..<configuration.layers).map { _ in
                TransformerBlock(
                    heads: configuration.heads, attentionNorm: norm(), queryKeyValue: linear(3 * D, D),
                    attentionOutput: linear(D, D), mlpNorm: norm(), mlpInput: linear(N, D),
                    activation: configuration.activation, mlpOutput: linear(D, N))
            },
            readout: Readout(
                norm: norm(), projection: matrix(embeddingWidth, D, scale: 1 / Double(D).squareRoot())),
            normalisation: PixelNormalisation(mean: [0.48, 0.46, 0.41], standardDeviation: [0.27, 0.26, 0.28]))
    }

    /// Random pixels. // [count, size, size, 3]
    public static func images(
        _ count: Int, of configuration: VisionConfiguration = configuration, seed: UInt64 = 2
    ) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return (0..<count * configuration.imageSize * configuration.imageSize * 3).map { _ in
            UInt8(truncatingIfNeeded: random.next())
        }
    }
}
