import CLIPModel
import DenseMath
import Foundation
import Safetensors
import Testing

@testable import Attribution

/// A vision transformer, images and what PyTorch computed for them in float64:
/// see scripts/make_attribution_fixtures.py.
struct Reference {
    static let imageCount = 2
    let file: SafetensorsFile
    let vision: VisionTransformer
    let classifier: Tensor
    let logitScale: Float
    let labels: [Int]
    let neurons: [(layer: Int, neuron: Int)]

    private struct Config: Decodable {
        let image, patch, width, heads, layers, mlp: Int
        let epsilon, logit_scale: Float
    }

    init(_ activation: Activation) throws {
        let file = try Self.open(activation.rawValue)
        self.file = file
        let config = try JSONDecoder().decode(Config.self, from: Data(#require(file.metadata["config"]).utf8))
        func matrix(_ name: String) throws -> Tensor {
            Tensor(shape: try file.tensor(name).shape, elements: try file.floats(name))
        }
        func norm(_ name: String) throws -> LayerNorm {
            LayerNorm(
                weight: try file.floats("\(name).weight"), bias: try file.floats("\(name).bias"), epsilon: config.epsilon)
        }
        func linear(_ name: String) throws -> Linear {
            Linear(weight: try matrix("\(name).weight"), bias: try file.floats("\(name).bias"))
        }
        vision = VisionTransformer(
            configuration: VisionConfiguration(
                imageSize: config.image, patchSize: config.patch, width: config.width, layers: config.layers,
                heads: config.heads, mlpWidth: config.mlp, activation: activation, layerNormEpsilon: config.epsilon),
            patchEmbedding: try matrix("patchEmbedding"), classEmbedding: try file.floats("classEmbedding"),
            positionEmbedding: try matrix("positionEmbedding"), inputNorm: try norm("inputNorm"),
            blocks: try (0..<config.layers).map { layer in
                TransformerBlock(
                    heads: config.heads, attentionNorm: try norm("\(layer).attentionNorm"),
                    queryKeyValue: try linear("\(layer).queryKeyValue"),
                    attentionOutput: try linear("\(layer).attentionOutput"), mlpNorm: try norm("\(layer).mlpNorm"),
                    mlpInput: try linear("\(layer).mlpInput"), activation: activation,
                    mlpOutput: try linear("\(layer).mlpOutput"))
            },
            outputNorm: try norm("outputNorm"), projection: try matrix("projection"),
            normalisation: PixelNormalisation(mean: [0.48, 0.46, 0.41], standardDeviation: [0.27, 0.26, 0.28]))
        classifier = try matrix("classifier")
        logitScale = config.logit_scale
        labels = try file.int32s("labels").map(Int.init)
        let pairs = try file.int32s("neurons").map(Int.init)
        neurons = stride(from: 0, to: pairs.count, by: 2).map { (pairs[$0], pairs[$0 + 1]) }
    }

    static func open(_ name: String) throws -> SafetensorsFile {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "safetensors", subdirectory: "Fixtures"))
        return try SafetensorsFile(contentsOf: url)
    }

    /// // [size, size, 3]
    func image(_ index: Int) throws -> [UInt8] {
        let bytes = try file.uint8s("images")
        let size = bytes.count / Self.imageCount
        return Array(bytes[index * size..<(index + 1) * size])
    }

    func expected(_ image: Int, _ name: String) throws -> [Double] { try file.doubles("\(image).\(name)") }

    /// The weights of an image's class. // [d]
    func weights(_ image: Int) -> [Float] { Array(classifier[row: labels[image]]) }
}

/// The numbers behind a pointer.
func array(_ pointer: UnsafePointer<Float>, _ count: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: pointer, count: count))
}
