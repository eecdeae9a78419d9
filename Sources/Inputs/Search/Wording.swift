/// English words in texts, without regard to case and to the number of the last word.
enum Wording {
    /// The words of a text in lower case: runs of letters and digits.
    static func words(_ text: some StringProtocol) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// Whether `text` contains the words of `phrase` one after the other, the last one in singular or plural.
    static func contains(_ text: some StringProtocol, _ phrase: some StringProtocol) -> Bool {
        contains(words(text), words(phrase))
    }

    static func contains(_ text: [String], _ phrase: [String]) -> Bool {
        guard let last = phrase.last, text.count >= phrase.count else { return false }
        let forms = forms(of: last)
        return (phrase.count - 1..<text.count).contains { end in
            isForm(text[end], of: last, forms) && text[(end - phrase.count + 1)..<end].elementsEqual(phrase.dropLast())
        }
    }

    /// As ``contains(_:_:)``, and also when the text writes the phrase as one word, such as "firetruck".
    static func mentions(_ text: some StringProtocol, _ phrase: some StringProtocol) -> Bool {
        mentions(words(text), words(phrase))
    }

    static func mentions(_ text: [String], _ phrase: [String]) -> Bool {
        contains(text, phrase) || contains(text, [phrase.joined()])
    }

    private static func isForm(_ word: String, of other: String, _ forms: Set<String>) -> Bool {
        // No plural begins with another letter than its singular.
        word.utf8.first == other.utf8.first && (forms.contains(word) || self.forms(of: word).contains(other))
    }

    /// The word and what its plural may be.
    static func forms(of word: String) -> Set<String> {
        var forms: Set<String> = [word, word + "s"]
        if ["s", "x", "z", "ch", "sh", "o"].contains(where: word.hasSuffix) { forms.insert(word + "es") }
        if word.hasSuffix("y") { forms.insert(word.dropLast() + "ies") }
        if word.hasSuffix("f") { forms.insert(word.dropLast() + "ves") }
        if word.hasSuffix("fe") { forms.insert(word.dropLast(2) + "ves") }
        if word.hasSuffix("man") { forms.insert(word.dropLast(2) + "en") }
        if let irregular = irregularPlurals[word] { forms.insert(irregular) }
        return forms
    }

    private static let irregularPlurals = [
        "child": "children", "foot": "feet", "goose": "geese", "louse": "lice", "mouse": "mice", "ox": "oxen",
        "person": "people", "tooth": "teeth", "cactus": "cacti",
    ]

    /// The phrase with its indefinite article, unless it has an article already.
    static func withArticle(_ phrase: String) -> String {
        let first = words(phrase).first ?? ""
        guard !["a", "an", "the"].contains(first) else { return phrase }
        return (first.first.map { "aeiou".contains($0) } == true ? "an " : "a ") + phrase
    }

    /// "a, b and c".
    static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }
}
