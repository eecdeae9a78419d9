import Attribution

/// How labels are read off the tokens of an image: by which path through the tower, and with which similarities.
struct TokenReading: Sendable, Hashable {
    enum Features: String, Sendable {
        /// Cosines.
        case plain
        /// Feature surgery among all labels of the vocabulary.
        case amongLabels = "among labels"
        /// Feature surgery of each label by itself, against the empty text.
        case single = "single text"
    }

    let name: String
    let recipe: SurgeryRecipe
    let features: Features

    static let clip = TokenReading(name: "clip", recipe: .plain, features: .plain)
    static let featureSurgery = TokenReading(name: "feature-surgery", recipe: .plain, features: .amongLabels)

    static func architectureSurgery(depth: Int) -> TokenReading {
        TokenReading(name: "architecture-surgery", recipe: .surgery(depth: depth), features: .plain)
    }

    static func surgery(depth: Int) -> TokenReading {
        TokenReading(name: "clip-surgery", recipe: .surgery(depth: depth), features: .amongLabels)
    }

    static func singleText(depth: Int) -> TokenReading {
        TokenReading(name: "clip-surgery-single-text", recipe: .surgery(depth: depth), features: .single)
    }

    /// The recipes of other papers, as those read them.
    static func variants(depth: Int) -> [TokenReading] {
        SurgeryRecipe.variants(depth: depth).map { TokenReading(name: $0.name, recipe: $0, features: .plain) }
    }
}

extension TokenReading {
    /// All that decides a number, for the key of a step.
    var key: String {
        "\(recipe.attention), last \(recipe.depth), residual \(recipe.keepsResidual), mlp \(recipe.keepsMLP), \(features.rawValue)"
    }
}
