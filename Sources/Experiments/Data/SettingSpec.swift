import DenseMath
import Foundation
import Inputs
import Pipeline

/// The keys that all specs share: a model, its words, and how pictures are read.
///
/// ```yaml
/// experiment: mean-ablation
/// world: emoji                     # a name for rows
/// model: emoji-clip                # of the manifest, or the path of a folder or a file of weights
/// image-activation: as-configured  # or gelu, quick_gelu: another non-linearity in the image tower
/// text-activation: as-configured   # the same in the text tower
/// precision: fp32                  # or bf16: weights and inputs of linear layers rounded, about twice as fast
/// resize-passes: pillow13          # or rowsFirst: as Pillow 11.3 to 12.3 resized
/// on-bad-image: fail               # or skip: leave out pictures that cannot be read, and list them
/// class-names: classes.txt         # a name a line, in label order, in place of the data set's own
/// templates: openai-80             # or openai-simple-7, clip-surgery-85, or a file of sentences with {}
/// images-per-shard: 250
/// seed: 0
/// ```
struct SettingSpec: Sendable {
    /// What rows call the setting.
    var world: String
    var modelKey: OpenedInputs.ModelKey
    var onBadPicture: BadPictures
    /// A file of class names; nil: the data set's own.
    var classNames: URL?
    /// Nil: the sentences that go with the data set.
    var templates: Templates?
    /// Images that are computed and stored together: what an interruption may cost.
    var imagesPerShard: Int
    /// Decides whatever is random.
    var seed: Int

    enum Key: String, CaseIterable {
        case experiment, world, model, seed, templates, precision
        case imageActivation = "image-activation"
        case textActivation = "text-activation"
        case resizePasses = "resize-passes"
        case onBadImage = "on-bad-image"
        case classNames = "class-names"
        case imagesPerShard = "images-per-shard"
    }

    /// Sentences for the names of classes.
    enum Templates: Sendable, Equatable {
        /// OpenAI's 80 for ImageNet, or the seven that do nearly as well.
        case openAI80, openAISimple7
        /// Those 80, and five of scenes.
        case clipSurgery85
        case file(URL)

        /// - Throws: `SpecError`.
        init<Root>(_ root: SpecMapping<Root>, _ key: Root) throws {
            switch try root.string(key) {
            case "openai-80": self = .openAI80
            case "openai-simple-7": self = .openAISimple7
            case "clip-surgery-85": self = .clipSurgery85
            default: self = .file(try root.file(key))
            }
        }

        /// What rows call them.
        var name: String {
            switch self {
            case .openAI80: "openai-80"
            case .openAISimple7: "openai-simple-7"
            case .clipSurgery85: "clip-surgery-85"
            case .file(let url): url.deletingPathExtension().lastPathComponent
            }
        }

        func url(in places: InputPlaces) -> URL {
            switch self {
            case .openAI80: places.prompts("templates-80.txt")
            case .openAISimple7: places.prompts("templates-simple-7.txt")
            case .clipSurgery85: places.prompts("templates-85.txt")
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

    /// - Parameter others: keys that the same text has besides.
    /// - Throws: `SpecError`.
    init(_ document: SpecDocument, besides others: [String], choices: Choices) throws {
        let root = try document.root(keys: Key.self, besides: others)
        world = try root.string(.world)
        guard world.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil else {
            throw root.invalid(.world, "'\(world)' is no plain name of letters, digits, '.', '_' and '-'")
        }
        modelKey = OpenedInputs.ModelKey(
            reference: try Self.model(root, choices),
            imageActivation: try root.choice(.imageActivation, default: ActivationName.asConfigured).activation,
            textActivation: try root.choice(.textActivation, default: ActivationName.asConfigured).activation,
            passOrder: try root.choice(.resizePasses, default: .pillow13),
            precision: try root.choice(.precision, default: .fp32))
        onBadPicture = try root.choice(.onBadImage, default: .fail)
        classNames = root.has(.classNames) ? try root.file(.classNames) : nil
        templates = root.has(.templates) ? try Templates(root, .templates) : nil
        imagesPerShard = try root.integer(.imagesPerShard, in: 1...100_000, default: 250)
        seed = try root.integer(.seed, in: 0...Int.max, default: 0)
    }

    /// What rows call the model.
    var model: String { modelKey.reference.name }

    /// Scenes have names of their own, beside which a spec's would be read and not used.
    /// - Parameter key: the one that names the images.
    /// - Throws: `SpecError`.
    func checkClassNames<Root>(of images: ImageSetSpec, _ root: SpecMapping<Root>, _ key: Root) throws {
        guard case .scenes = images.source, classNames != nil else { return }
        throw root.invalid(key, "scenes have names of their own; leave 'class-names' out")
    }

    /// A name of the manifest, or a path, which has a slash.
    private static func model(_ root: SpecMapping<Key>, _ choices: Choices) throws -> ModelReference {
        switch try root.nameOrFile(.model, among: choices.models) {
        case .name(let name): .named(name)
        case .file(let url): .at(url)
        }
    }
}
