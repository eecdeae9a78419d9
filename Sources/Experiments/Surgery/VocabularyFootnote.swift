/// What labels are chosen among is a part of a number: the names, and the sentences that they stand in.
enum VocabularyFootnote {
    static func text(_ names: [String], _ templates: [String]) -> String {
        "Vocabulary: \(names.count) names (\(names.prefix(3).joined(separator: ", ")) …) in \(templates.count) sentences (\(templates.first ?? "") …), all in …-inputs.json."
    }
}
