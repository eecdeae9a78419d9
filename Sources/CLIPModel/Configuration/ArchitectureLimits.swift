/// What a configuration may ask for.
///
/// Several times the largest CLIP published (ViT-bigG: width 1664, MLP 8192, 48 layers), and small
/// enough that no product of them that the engine forms, such as the number of elements of a
/// tensor, comes near 2⁶³.
enum ArchitectureLimits {
    static let imageSize = 1...(1 << 12)
    static let width = 1...(1 << 14)
    static let layers = 1...(1 << 10)
    static let heads = 1...(1 << 10)
    static let mlpWidth = 1...(1 << 17)
    static let embeddingWidth = 1...(1 << 14)
    static let vocabularySize = 3...(1 << 22)
    /// At least the start and the end token.
    static let contextLength = 2...(1 << 14)
    /// Positive as a Float too, lest a constant row be divided by zero.
    static let layerNormEpsilon = 1e-30...1.0
}
