import CLIPModel
import DenseMath
import Foundation
import Inputs
import Pipeline

/// The keys that the specs of all experiments on one model share.
///
/// ```yaml
/// experiment: mean-ablation
/// world: emoji                     # a name for rows
/// model: emoji-clip                # of the manifest, or the path of a folder or a file of weights
/// image-activation: as-configured  # or gelu, quick_gelu: another non-linearity in the image tower
/// text-activation: as-configured   # the same in the text tower
/// resize-passes: pillow13          # or rowsFirst: as Pillow 11.3 to 12.3 resized
/// fit: {dataset: emoji-scenes, split: fit}   # see ImageSetSpec
/// on-bad-image: fail               # or skip: leave out pictures that cannot be read, and list them
/// class-names: classes.txt         # a name a line, in label order, in place of the data set's own
/// templates: openai-80             # or openai-simple-7, or a file of sentences with {}
/// layers: [0, 1, 2, 3, 4]          # left out: every layer with a later attention layer
/// indirect-layers: [4]             # without whose neurons the later layers run again; left out: all
/// significant-images: 100          # the images with the largest effects that each neuron keeps
/// images-per-shard: 250
/// seed: 0
/// ```
struct StudySpec: Sendable {
    /// What rows call the setting.
    var world: String
    var modelKey: OpenedInputs.ModelKey
    /// The images from which means, thresholds and directions are estimated.
    var fit: ImageSetSpec
    var onBadPicture: BadPictures
    /// A file of class names; nil: the data set's own.
    var classNames: URL?
    /// Nil: the sentences that go with the data set.
    var templates: Templates?
    /// Nil: every layer with a later attention layer.
    var layers: [Int]?
    /// Layers for which accuracy without all neurons is measured by running the later layers again, which takes
    /// longer than everything else together; nil: all that are studied.
    var indirectLayers: [Int]?
    /// Images with the largest effects that each neuron keeps.
    var significantImages: Int
    /// Images that are computed and stored together: what an interruption may cost.
    var imagesPerShard: Int
    /// Decides whatever is random.
    var seed: Int
    /// What the model has.
    var limits: Limits

    enum Key: String, CaseIterable {
        case experiment, world, model, fit, layers, seed, templates
        case imageActivation = "image-activation"
        case textActivation = "text-activation"
        case resizePasses = "resize-passes"
        case onBadImage = "on-bad-image"
        case classNames = "class-names"
        case indirectLayers = "indirect-layers"
        case significantImages = "significant-images"
        case imagesPerShard = "images-per-shard"
    }

    /// Sentences for the names of classes.
    enum Templates: Sendable, Equatable {
        /// OpenAI's 80 for ImageNet, or the seven that do nearly as well.
        case openAI80, openAISimple7
        case file(URL)

        func url(in places: InputPlaces) -> URL {
            switch self {
            case .openAI80: places.prompts("templates-80.txt")
            case .openAISimple7: places.prompts("templates-simple-7.txt")
            case .file(let url): url
            }
        }
    }

    /// What a spec may name.
    struct Choices {
        var models: [String]
        /// Data sets of scenes; sets of pictures have names of their own.
        var scenes: [String]
        /// The folder of data.
        var data = URL(fileURLWithPath: "data", isDirectory: true)

        init(models: [String], scenes: [String]) {
            self.models = models
            self.scenes = scenes
        }

        init(_ context: ExperimentContext) {
            self.init(models: context.opened.places.models, scenes: context.opened.places.scenes)
            data = context.opened.places.data
        }
    }

    /// What a spec may ask of a model.
    struct Limits: Sendable {
        /// Layers with a later attention layer.
        var layers: Range<Int>
        /// Neurons of a layer.
        var neurons: Int
        /// Whether it is the model of the papers' tables.
        var isPapers = false
    }

    private enum ActivationName: String, CaseIterable {
        case asConfigured = "as-configured"
        case quickGELU = "quick_gelu"
        case gelu

        var activation: Activation? {
            switch self {
            case .asConfigured: nil
            case .quickGELU: .quickGELU
            case .gelu: .gelu
            }
        }
    }

    /// - Parameter limits: of a model.
    /// - Throws: `SpecError`, and what `limits` throws.
    init(_ root: SpecMapping<Key>, choices: Choices, limits: (OpenedInputs.ModelKey) throws -> Limits) throws {
        world = try root.string(.world)
        guard world.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil else {
            throw root.invalid(.world, "'\(world)' is no plain name of letters, digits, '.', '_' and '-'")
        }
        modelKey = OpenedInputs.ModelKey(
            reference: try Self.model(root, choices),
            imageActivation: try root.choice(.imageActivation, default: ActivationName.asConfigured).activation,
            textActivation: try root.choice(.textActivation, default: ActivationName.asConfigured).activation,
            passOrder: try root.choice(.resizePasses, default: .pillow13))
        fit = try ImageSetSpec(root, .fit, among: choices.scenes)
        onBadPicture = try root.choice(.onBadImage, default: .fail)
        classNames = root.has(.classNames) ? try root.file(.classNames) : nil
        if case .scenes = fit.source, classNames != nil {
            throw root.invalid(.classNames, "scenes have names of their own")
        }
        templates = root.has(.templates) ? try Self.templates(root) : nil
        significantImages = try root.integer(.significantImages, in: 2...10_000, default: 100)
        imagesPerShard = try root.integer(.imagesPerShard, in: 1...100_000, default: 250)
        seed = try root.integer(.seed, in: 0...Int.max, default: 0)
        self.limits = try limits(modelKey)
        let range = self.limits.layers
        guard !range.isEmpty else {
            throw root.invalid(.model, "\(model) has a single layer, and no neuron of it is read by a later attention layer")
        }
        layers = root.has(.layers) ? try root.layers(.layers, of: modelKey.reference.name, in: range) : nil
        indirectLayers = try root.neuronLayers(.indirectLayers, of: self)
    }

    /// Whether model, fit images and prompts are those of the paper's tables.
    var isPapers: Bool {
        let isFit = if case .pictures(.imageNetTrain, _, _) = fit.source { fit.sampling == .every(250) } else { false }
        return limits.isPapers && modelKey.imageActivation == nil && isFit && significantImages == 100 && classNames == nil
            && (templates == nil || templates == .openAI80)
    }

    /// What rows call the model.
    var model: String { modelKey.reference.name }

    /// A name of the manifest, or a path, which has a slash.
    private static func model(_ root: SpecMapping<Key>, _ choices: Choices) throws -> ModelReference {
        switch try root.nameOrFile(.model, among: choices.models) {
        case .name(let name): .named(name)
        case .file(let url): .at(url)
        }
    }

    private static func templates(_ root: SpecMapping<Key>) throws -> Templates {
        switch try root.string(.templates) {
        case "openai-80": .openAI80
        case "openai-simple-7": .openAISimple7
        default: .file(try root.file(.templates))
        }
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
