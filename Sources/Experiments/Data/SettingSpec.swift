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

        init<Root>(_ root: SpecMapping<Root>, _ key: Root) {
            switch root.string(key) {
            case "openai-80": self = .openAI80
            case "openai-simple-7": self = .openAISimple7
            case "clip-surgery-85": self = .clipSurgery85
            default: self = .file(root.file(key))
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
    init(_ reader: SpecReader, besides others: [String], choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: others)
        world = root.string(.world)
        root.check(
            .world, holds: world.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil,
            "'\(world)' is no plain name of letters, digits, '.', '_' and '-'")
        modelKey = OpenedInputs.ModelKey(
            reference: Self.model(root, choices),
            imageActivation: root.choice(.imageActivation, default: ActivationName.asConfigured).activation,
            textActivation: root.choice(.textActivation, default: ActivationName.asConfigured).activation,
            passOrder: root.choice(.resizePasses, default: .pillow13),
            precision: root.choice(.precision, default: .fp32))
        onBadPicture = root.choice(.onBadImage, default: .fail)
        classNames = root.optionalFile(.classNames)
        templates = root.has(.templates) ? Templates(root, .templates) : nil
        imagesPerShard = root.integer(.imagesPerShard, in: 1...100_000, default: 250)
        seed = root.integer(.seed, in: 0...Int.max, default: 0)
    }

    /// What rows call the model.
    var model: String { modelKey.reference.name }

    /// Scenes have names of their own, beside which a spec's would be read and not used.
    /// - Parameter key: the one that names the images.
    func checkClassNames<Root>(of images: ImageSetSpec, _ root: SpecMapping<Root>, _ key: Root) {
        guard case .scenes = images.source, classNames != nil else { return }
        root.check(key, holds: false, "scenes have names of their own; leave 'class-names' out")
    }

    /// A name of the manifest, or a path, which has a slash.
    private static func model(_ root: SpecMapping<Key>, _ choices: SpecChoices) -> ModelReference {
        switch root.nameOrFile(.model, among: choices.models) {
        case .name(let name): .named(name)
        case .file(let url): .at(url)
        }
    }
}
