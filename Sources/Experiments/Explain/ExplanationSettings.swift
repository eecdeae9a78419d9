import Attribution
import CLIPModel

/// How a picture is explained.
public struct ExplanationSettings: Sendable {
    /// The path through the tower, by the name it has here.
    public enum Path: String, CaseIterable, Sendable {
        case clip, surgery, maskclip, sclip, clearclip, naclip, gem

        /// Whether the number of blocks with a second path can be chosen.
        public var hasDepth: Bool { self == .surgery || self == .gem }

        func recipe(depth: Int) -> SurgeryRecipe {
            switch self {
            case .clip: .plain
            case .surgery: .surgery(depth: depth)
            case .maskclip: .maskCLIP
            case .sclip: .sclip
            case .clearclip: .clearCLIP
            case .naclip: .naclip
            case .gem: .gem(depth: depth)
            }
        }
    }

    public var path: Path
    public var features: LabelFeatures
    /// Last blocks that have a second path, where the recipe leaves it open; nil: 6, or all where there are fewer.
    public var depth: Int?
    /// The picture is squashed to a square of this size; nil: the model's.
    public var inputSize: Int?
    /// Sentences with `{}` for a text.
    public var templates: [String]
    /// Labels that texts are compared with, besides the texts themselves; of meaning among labels only.
    public var labels: [String]

    public init(
        path: Path = .surgery, features: LabelFeatures = .singleText, depth: Int? = nil, inputSize: Int? = nil,
        templates: [String], labels: [String] = []
    ) {
        (self.path, self.features, self.depth, self.inputSize) = (path, features, depth, inputSize)
        (self.templates, self.labels) = (templates, labels)
    }

    /// How the tokens of a tower of so many blocks are read.
    func reading(layers: Int) -> TokenReading {
        let recipe = path.recipe(depth: min(depth ?? SurgerySpec.papersDepth, layers))
        return TokenReading(name: path.rawValue, title: path.rawValue, recipe: recipe, features: features)
    }

    /// What texts are compared with each other in: themselves, and among labels those labels too.
    func vocabulary(_ texts: [String]) -> [String] { (texts + (features == .amongLabels ? labels : [])).uniqued() }

    /// Bytes that explaining takes beside the weights, mostly for attention.
    /// - Parameter size: of the input, in pixels.
    static func memory(_ vision: VisionConfiguration, size: Int) -> Int {
        let side = size / vision.patchSize
        guard !side.multipliedReportingOverflow(by: side).overflow else { return .max }
        let (tokens, perToken) = (
            TokenLayout(side: side).count, 8 * vision.width + vision.mlpWidth + 4 * vision.width * vision.layers
        )
        return 4 * (2 * tokens * tokens + tokens * perToken)
    }

    /// The largest size of the input that so many bytes admit: a multiple of the patches.
    public static func largestSize(_ vision: VisionConfiguration, within bytes: Int) -> Int {
        var size = vision.patchSize
        while size + vision.patchSize <= 4096, memory(vision, size: size + vision.patchSize) <= bytes {
            size += vision.patchSize
        }
        return size
    }
}
