/// Relevance that one rule sends downwards, and how far.
struct RelevanceStream: Equatable {
    let rule: RelevanceRule
    /// The last layer whose attention it reaches, or ``pixels``.
    let lowestLayer: Int

    /// Below all layers.
    static let pixels = -1
}
