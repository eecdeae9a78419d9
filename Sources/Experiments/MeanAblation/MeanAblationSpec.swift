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

    /// What a spec may ask of a model.
    struct Limits {
        /// Layers with a later attention layer.
        var layers: Range<Int>
        /// Neurons of a layer.
        var neurons: Int
    }

    private enum World: String, CaseIterable {
        case emoji
    }

    /// - Parameters:
    ///   - models: the names that a spec may use.
    ///   - datasets: the same for data sets.
    ///   - limits: of a model of this name.
    /// - Throws: `SpecError`, and what `limits` throws.
    init(
        _ document: SpecDocument, models: [String], datasets: [String], limits: (String) throws -> Limits
    ) throws {
        let root = try document.root(keys: Key.self)
        world = try root.choice(.world, of: World.self).rawValue
        model = try root.string(.model, among: models)
        fit = try Self.images(root, .fit, among: datasets)
        evaluation = try Self.images(root, .evaluation, among: datasets)
        significantImages = try root.integer(.significantImages, in: 2...10_000, default: 100)
        seed = try root.integer(.seed, in: 0...Int.max, default: 0)
        accuracyFloor = try root.mapping(.controls, keys: ControlKey.self).double(.accuracyFloor, in: 0...1)
        let limits = try limits(model)
        guard !limits.layers.isEmpty else {
            throw root.invalid(.model, "\(model) has a single layer, and no neuron of it is read by a later attention layer")
        }
        let sample = try root.optionalMapping(.indirectSample, keys: SampleKey.self)
        indirectNeurons = try sample?.integer(.neurons, in: 0...limits.neurons) ?? 0
        indirectImages = try sample?.integer(.images, in: 2...1_000_000) ?? 0
        imagesPerShard = try root.integer(.imagesPerShard, in: 1...100_000, default: 250)
        if root.has(.layers) {
            let chosen = try root.integers(.layers)
            for layer in chosen where !limits.layers.contains(layer) {
                throw root.invalid(
                    .layers,
                    "layer \(layer) of \(model) has no later attention layer; its layers with one are \(limits.layers.lowerBound) to \(limits.layers.upperBound - 1)")
            }
            layers = chosen
        }
    }

    private static func images(_ root: SpecMapping<Key>, _ key: Key, among datasets: [String]) throws -> ImageSetName {
        let mapping = try root.mapping(key, keys: ImageKey.self)
        let split: SceneSplit = try mapping.choice(.split)
        guard split != .train else { throw mapping.invalid(.split, "'train' has no end; take fit, val, seg or val-r") }
        return ImageSetName(dataset: try mapping.string(.dataset, among: datasets), split: split.rawValue)
    }
}
