import Foundations

/// The English of the emoji world: captions for training, templates for the zero-shot classifier.
public enum SceneCaption {
    /// Templates of one object; `{}` stands for its word. The zero-shot classifier averages over all.
    public static let templates = [
        "{}", "a {}", "a picture of a {}", "an image of a {}", "a drawing of a {}",
        "an emoji of a {}", "a scene with a {}", "there is a {}",
    ]

    static let joints = ["and a", "next to a", "with a", "beside a", "near a"]

    public static func filled(_ template: String, _ word: String) -> String {
        template.replacing("{}", with: word, maxReplacements: 1)
    }

    /// One caption: a random template over the objects' words, main object first.
    static func make(words: [String], random: inout SplitMix64) -> String {
        let template = templates[random.below(templates.count)]
        var phrase = words[0]
        for word in words.dropFirst() { phrase += " \(joints[random.below(joints.count)]) \(word)" }
        return filled(template, phrase)
    }

    /// The name twice as often as one of the keywords.
    static func word(for concept: EmojiConcept, random: inout SplitMix64) -> String {
        let draw = random.below(3)
        guard draw == 2, !concept.keywords.isEmpty else { return concept.name }
        return concept.keywords[random.below(concept.keywords.count)]
    }
}
