import CLIPModel
import DenseMath
import Inputs
import Pipeline

/// The keys that the specs of all experiments on one model share.
///
/// ```yaml
/// experiment: mean-ablation
/// world: emoji
/// model: emoji-clip
/// text-activation: as-configured   # or gelu, quick_gelu: another non-linearity in the text tower
/// fit: {dataset: emoji-scenes, split: fit}
/// layers: [0, 1, 2, 3, 4]          # left out: every layer with a later attention layer
/// significant-images: 100          # the images with the largest effects that each neuron keeps
/// images-per-shard: 250
/// seed: 0
/// ```
struct StudySpec: Sendable {
    var world: String
    var model: String
    /// Nil: as the model's configuration says.
    var textActivation: Activation?
    /// The images from which means, thresholds and directions are estimated.
    var fit: ImageSetName
    /// Nil: every layer with a later attention layer.
    var layers: [Int]?
    /// Images with the largest effects that each neuron keeps.
    var significantImages: Int
    /// Images that are computed and stored together: what an interruption may cost.
    var imagesPerShard: Int
    /// Decides whatever is random.
    var seed: Int
    /// What the model has.
    var limits: Limits

    enum Key: String, CaseIterable {
        case experiment, world, model, fit, layers, seed
        case textActivation = "text-activation"
        case significantImages = "significant-images"
        case imagesPerShard = "images-per-shard"
    }

    /// What a spec may name.
    struct Choices {
        var models: [String]
        var datasets: [String]

        init(models: [String], datasets: [String]) {
            self.models = models
            self.datasets = datasets
        }

        init(_ manifest: DatasetsManifest) {
            self.init(models: manifest.models.keys.sorted(), datasets: manifest.datasets.keys.sorted())
        }
    }

    /// What a spec may ask of a model.
    struct Limits: Sendable {
        /// Layers with a later attention layer.
        var layers: Range<Int>
        /// Neurons of a layer.
        var neurons: Int
    }

    private enum World: String, CaseIterable {
        case emoji
    }

    private enum TextActivation: String, CaseIterable {
        case asConfigured = "as-configured"
        case quickGELU = "quick_gelu"
        case gelu
    }

    /// - Parameter limits: of a model of this name.
    /// - Throws: `SpecError`, and what `limits` throws.
    init(_ root: SpecMapping<Key>, choices: Choices, limits: (String) throws -> Limits) throws {
        world = try root.choice(.world, of: World.self).rawValue
        model = try root.string(.model, among: choices.models)
        textActivation = switch try root.choice(.textActivation, default: TextActivation.asConfigured) {
        case .asConfigured: nil
        case .quickGELU: .quickGELU
        case .gelu: .gelu
        }
        fit = try ImageSetName(root, .fit, among: choices.datasets)
        significantImages = try root.integer(.significantImages, in: 2...10_000, default: 100)
        imagesPerShard = try root.integer(.imagesPerShard, in: 1...100_000, default: 250)
        seed = try root.integer(.seed, in: 0...Int.max, default: 0)
        self.limits = try limits(model)
        let range = self.limits.layers
        guard !range.isEmpty else {
            throw root.invalid(.model, "\(model) has a single layer, and no neuron of it is read by a later attention layer")
        }
        layers = root.has(.layers) ? try root.layers(.layers, of: model, in: range) : nil
    }
}

extension SpecMapping {
    /// Layers of a model whose neurons have second-order effects.
    func layers(_ key: Key, of model: String, in range: Range<Int>) throws -> [Int] {
        let chosen = try integers(key)
        for layer in chosen where !range.contains(layer) {
            throw invalid(
                key,
                "layer \(layer) of \(model) has no later attention layer; its layers with one are \(range.lowerBound) to \(range.upperBound - 1)")
        }
        return chosen
    }
}

extension ImageSetName {
    private enum Key: String, CaseIterable {
        case dataset, split
    }

    /// Reads `{dataset: …, split: …}`.
    /// - Throws: `SpecError`.
    init<Root>(_ root: SpecMapping<Root>, _ key: Root, among datasets: [String]) throws {
        let mapping = try root.mapping(key, keys: Key.self)
        let split: SceneSplit = try mapping.choice(.split)
        guard split != .train else { throw mapping.invalid(.split, "'train' has no end; take fit, val, seg or val-r") }
        self.init(dataset: try mapping.string(.dataset, among: datasets), split: split.rawValue)
    }
}
