import Attribution

/// How labels are read off the tokens of an image: by which path through the tower, and with which similarities.
struct TokenReading: Sendable, Hashable {
    /// In rows and files.
    let name: String
    /// In tables and pictures.
    let title: String
    let recipe: SurgeryRecipe
    let features: LabelFeatures

    static let clip = TokenReading(name: "clip", title: "CLIP, as it is", recipe: .plain, features: .plain)
    static let featureSurgery = TokenReading(
        name: "feature-surgery", title: "feature surgery only", recipe: .plain, features: .amongLabels)

    static func architectureSurgery(depth: Int) -> TokenReading {
        TokenReading(
            name: "architecture-surgery", title: "architecture surgery only", recipe: .surgery(depth: depth),
            features: .plain)
    }

    static func surgery(depth: Int) -> TokenReading {
        TokenReading(
            name: "clip-surgery", title: "CLIP Surgery", recipe: .surgery(depth: depth), features: .amongLabels)
    }

    static func singleText(depth: Int) -> TokenReading {
        TokenReading(
            name: "clip-surgery-single-text", title: "CLIP Surgery, single text", recipe: .surgery(depth: depth),
            features: .singleText)
    }

    /// The recipes of other papers, as those read them.
    static func variants(depth: Int) -> [TokenReading] {
        [
            ("MaskCLIP", SurgeryRecipe.maskCLIP), ("SCLIP", .sclip), ("ClearCLIP", .clearCLIP), ("NACLIP", .naclip),
            ("GEM", .gem(depth: depth)),
        ].map { TokenReading(name: $1.name, title: $0, recipe: $1, features: .plain) }
    }
}

extension TokenReading {
    /// All that decides a number, for the key of a step.
    var key: String {
        "\(recipe.attention), last \(recipe.depth), residual \(recipe.keepsResidual), mlp \(recipe.keepsMLP), \(features.rawValue)"
    }
}
