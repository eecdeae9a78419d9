import Attribution

/// How a picture is explained.
public struct ExplanationSettings: Sendable {
    /// With what the similarity of a token and a text is compared.
    public enum Features: String, CaseIterable, Sendable {
        /// With that of the empty text: each text by itself.
        case singleText = "single-text"
        /// With those of all labels of a vocabulary.
        case amongLabels = "among-labels"
        /// With nothing: plain cosines.
        case plain
    }

    /// The path through the tower, by the name it has here.
    public enum Path: String, CaseIterable, Sendable {
        case clip, surgery, maskclip, sclip, clearclip, naclip, gem

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
    public var features: Features
    /// Last blocks that have a second path, where the recipe leaves it open; nil: 6, or all where there are fewer.
    public var depth: Int?
    /// The picture is squashed to a square of this size; nil: the model's.
    public var inputSize: Int?
    /// Sentences with `{}` for a text.
    public var templates: [String]
    /// Labels that texts are compared with, besides the texts themselves; of meaning among labels only.
    public var labels: [String]

    public init(
        path: Path = .surgery, features: Features = .singleText, depth: Int? = nil, inputSize: Int? = nil,
        templates: [String], labels: [String] = []
    ) {
        (self.path, self.features, self.depth, self.inputSize) = (path, features, depth, inputSize)
        (self.templates, self.labels) = (templates, labels)
    }

    /// Blocks with a second path in a tower of so many.
    func depth(of layers: Int) -> Int { min(depth ?? SurgerySpec.papersDepth, layers) }
}
