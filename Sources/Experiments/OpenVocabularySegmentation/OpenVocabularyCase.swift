/// A column of numbers of open-vocabulary segmentation: how labels are read, and among which each pixel chooses.
struct OpenVocabularyCase: Sendable, Hashable {
    enum Choice: String, CaseIterable, Sendable {
        /// The whole vocabulary.
        case all
        /// The labels that the image shows, on images that show several.
        case shown
    }

    let reading: TokenReading
    let choice: Choice

    static func all(depth: Int) -> [OpenVocabularyCase] {
        readings(depth: depth).flatMap { reading in Choice.allCases.map { .init(reading: reading, choice: $0) } }
    }

    /// Feature surgery is for maps of one label; the paper segments by the similarities themselves.
    static func readings(depth: Int) -> [TokenReading] {
        [.clip, .architectureSurgery(depth: depth)] + TokenReading.variants(depth: depth)
    }
}
