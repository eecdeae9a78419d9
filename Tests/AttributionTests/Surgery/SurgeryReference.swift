import CLIPModel
import DenseMath
import Foundation
import Safetensors
import Testing

@testable import Attribution

/// A vision transformer, images of two sizes and what PyTorch makes of them by surgery in float64: see
/// scripts/make_surgery_fixtures.py.
struct SurgeryReference {
    static let imageCount = 2
    let file: SafetensorsFile
    let vision: VisionTransformer
    /// Side of the images: the model's own, and a larger one.
    let sizes: [Int]

    private struct Config: Decodable {
        let image, larger, patch, width, heads, layers, mlp: Int
        let epsilon: Float
    }

    init(_ activation: Activation) throws {
        let file = try SafetensorsFile(fixture: "surgery-\(activation.rawValue)")
        self.file = file
        let config = try JSONDecoder().decode(Config.self, from: Data(#require(file.metadata["config"]).utf8))
        vision = try file.vision(
            VisionConfiguration(
                imageSize: config.image, patchSize: config.patch, width: config.width, layers: config.layers,
                heads: config.heads, mlpWidth: config.mlp, activation: activation, layerNormEpsilon: config.epsilon))
        sizes = [config.image, config.larger]
    }

    /// The recipes by their names in the file.
    static let recipes: [(name: String, recipe: SurgeryRecipe)] = [
        ("plain", .plain), ("surgery-1", .surgery(depth: 1)), ("surgery-3", .surgery(depth: 3)),
        ("surgery-4", .surgery(depth: 4)), ("surgery-6", .surgery(depth: 6)), ("maskclip", .maskCLIP),
        ("maskclip-no-mlp", SurgeryRecipe("", depth: 1, attention: .identity, keepsResidual: true, keepsMLP: false)),
        ("maskclip-bare", SurgeryRecipe("", depth: 1, attention: .identity, keepsResidual: false, keepsMLP: false)),
        ("sclip", .sclip), ("clearclip", .clearCLIP), ("naclip", .naclip),
        (
            "naclip-narrow",
            SurgeryRecipe("", depth: 1, attention: .keyKeyNearby(deviation: 1), keepsResidual: false, keepsMLP: false)
        ),
        ("gem-3", .gem(depth: 3)), ("gem-6", .gem(depth: 6)),
    ]

    /// Both images. // [2, size, size, 3]
    func images(_ size: Int) throws -> [UInt8] { try file.uint8s("images.\(size)") }

    /// Calls `body` for every non-linearity and size, with the tower of that size.
    static func forEach(_ body: (SurgeryReference, Int, VisionTransformer) throws -> Void) throws {
        for activation in Activation.allCases {
            let reference = try SurgeryReference(activation)
            for size in reference.sizes { try body(reference, size, try reference.vision.resized(to: size)) }
        }
    }
}
