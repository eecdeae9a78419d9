import CLIPModel
import DenseMath
import TestSupport

/// An image tower with the dimensions of a published one.
struct BenchmarkModel {
    let name: String
    let configuration: VisionConfiguration
    let embeddingWidth: Int
    /// Images that run together.
    let batch: Int

    static let vitB32 = BenchmarkModel(
        name: "ViT-B/32",
        configuration: VisionConfiguration(
            imageSize: 224, patchSize: 32, width: 768, layers: 12, heads: 12, mlpWidth: 3072, activation: .quickGELU,
            layerNormEpsilon: 1e-5),
        embeddingWidth: 512, batch: 32)

    static let vitB16 = BenchmarkModel(
        name: "ViT-B/16",
        configuration: VisionConfiguration(
            imageSize: 224, patchSize: 16, width: 768, layers: 12, heads: 12, mlpWidth: 3072, activation: .quickGELU,
            layerNormEpsilon: 1e-5),
        embeddingWidth: 512, batch: 8)

    static let vitL14 = BenchmarkModel(
        name: "ViT-L/14",
        configuration: VisionConfiguration(
            imageSize: 224, patchSize: 14, width: 1024, layers: 24, heads: 16, mlpWidth: 4096, activation: .quickGELU,
            layerNormEpsilon: 1e-5),
        embeddingWidth: 768, batch: 4)

    /// Random weights, the same at each call.
    func make() -> VisionTransformer {
        RandomVision.make(configuration, embeddingWidth: embeddingWidth, seed: 1)
    }

    /// Random pixels. // [count, size, size, 3]
    func images(_ count: Int, seed: UInt64) -> [UInt8] {
        RandomVision.images(count, of: configuration, seed: seed)
    }

    /// 2·m·n·k of every matrix product of one image: patches, linear layers, attention, projection.
    var operations: Double {
        let (T, D, N) = (configuration.tokens, configuration.width, configuration.mlpWidth)
        let patches =
            configuration.layout.patches * D * VisionConfiguration.channels * configuration.patchSize
            * configuration.patchSize
        /// Multiply-adds of a block whose attention, output and MLP are those of some tokens.
        func block(_ tokens: Int) -> Int { 3 * T * D * D + tokens * D * (D + 2 * N) + 2 * tokens * T * D }
        // Of the last block only the class token is read.
        let multiplyAdds = patches + (configuration.layers - 1) * block(T) + block(1) + D * embeddingWidth
        return 2 * Double(multiplyAdds)
    }
}
