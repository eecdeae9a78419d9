import Inputs
import Pipeline

/// The parameters of the mean-ablation experiment.
///
/// ```yaml
/// experiment: mean-ablation
/// world: emoji
/// model: emoji-clip
/// fit: {dataset: emoji-scenes, split: fit}
/// evaluation: {dataset: emoji-scenes, split: val}
/// layers: [0, 1, 2, 3, 4]        # left out: every layer with a later attention layer
/// significant-images: 100        # the images with the largest effects that each neuron keeps
/// indirect-sample: {neurons: 8, images: 500}
/// images-per-shard: 250
/// seed: 0
/// controls: {accuracy-floor: 0.8}
/// ```
struct MeanAblationSpec: Sendable {
    var world: String
    var model: String
    var fit: ImageSetName
    var evaluation: ImageSetName
    /// Nil: every layer with a later attention layer.
    var layers: [Int]?
    /// Images with the largest effects that each neuron keeps.
    var significantImages: Int
    /// Decides random neurons, shuffled labels and bootstrap samples.
    var seed: Int
    /// Zero-shot accuracy below which nothing is believed, 0…1.
    var accuracyFloor: Double
    /// Neurons of each layer, and images, from which the indirect effect's explained variance is estimated.
    var indirectNeurons: Int
    var indirectImages: Int
    /// Images that are computed and stored together: what an interruption may cost.
    var imagesPerShard: Int

    private enum Key: String, CaseIterable {
        case experiment, world, model, fit, evaluation, layers, seed, controls
        case significantImages = "significant-images"
        case indirectSample = "indirect-sample"
        case imagesPerShard = "images-per-shard"
    }

    private enum ImageKey: String, CaseIterable {
        case dataset, split
    }

    private enum ControlKey: String, CaseIterable {
        case accuracyFloor = "accuracy-floor"
    }

    private enum SampleKey: String, CaseIterable {
        case neurons, images
    }

    /// - Parameter layersOf: the layers that a model of this name admits.
    /// - Throws: `SpecError`, and what `layersOf` throws.
    init(_ document: SpecDocument, layersOf: (String) throws -> Range<Int>) throws {
        let root = try document.root(keys: Key.self)
        world = try root.string(.world)
        model = try root.string(.model)
        fit = try Self.images(root, .fit)
        evaluation = try Self.images(root, .evaluation)
        significantImages = try root.integer(.significantImages, in: 2...10_000, default: 100)
        seed = try root.integer(.seed, in: 0...Int.max, default: 0)
        accuracyFloor = try root.optionalMapping(.controls, keys: ControlKey.self)?
            .double(.accuracyFloor, in: 0...1, default: 0) ?? 0
        let sample = try root.optionalMapping(.indirectSample, keys: SampleKey.self)
        indirectNeurons = try sample?.integer(.neurons, in: 0...1_000_000) ?? 0
        indirectImages = try sample?.integer(.images, in: 2...1_000_000) ?? 0
        imagesPerShard = try root.integer(.imagesPerShard, in: 1...100_000, default: 250)
        let admitted = try layersOf(model)
        if root.has(.layers) {
            let chosen = try root.integers(.layers)
            for layer in chosen where !admitted.contains(layer) {
                throw root.invalid(
                    .layers,
                    "layer \(layer) of \(model) has no later attention layer; its layers with one are \(admitted.lowerBound) to \(admitted.upperBound - 1)")
            }
            layers = chosen
        }
    }

    private static func images(_ root: SpecMapping<Key>, _ key: Key) throws -> ImageSetName {
        let mapping = try root.mapping(key, keys: ImageKey.self)
        let split: SceneSplit = try mapping.choice(.split)
        guard split != .train else { throw mapping.invalid(.split, "'train' has no end; take fit, val, seg or val-r") }
        return ImageSetName(dataset: try mapping.string(.dataset), split: split.rawValue)
    }
}
