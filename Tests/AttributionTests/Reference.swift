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
        let file = try SafetensorsFile(fixture: activation.rawValue)
        self.file = file
        let config = try JSONDecoder().decode(Config.self, from: Data(#require(file.metadata["config"]).utf8))
        vision = try file.vision(
            VisionConfiguration(
                imageSize: config.image, patchSize: config.patch, width: config.width, layers: config.layers,
                heads: config.heads, mlpWidth: config.mlp, activation: activation, layerNormEpsilon: config.epsilon))
        classifier = try file.matrix("classifier")
        logitScale = config.logit_scale
        labels = try file.int32s("labels").map(Int.init)
        let pairs = try file.int32s("neurons").map(Int.init)
        neurons = stride(from: 0, to: pairs.count, by: 2).map { (pairs[$0], pairs[$0 + 1]) }
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
