import Foundations

/// One picture of the emoji world with its ground truth.
public struct EmojiScene: Sendable {
    public let image: RGBImage
    /// For each pixel 0 (background), 1 (main object), 2 (second object) and so on. // [size, size]
    public let mask: [UInt8]
    /// Index of the main object's concept.
    public let label: Int
    /// Indices of the other objects' concepts, the second one's first.
    public let otherLabels: [Int]
    public let caption: String

    /// Index of the second object's concept, where there is one.
    public var secondLabel: Int? { otherLabels.first }

    package init(image: RGBImage, mask: [UInt8], label: Int, otherLabels: [Int], caption: String) {
        self.image = image
        self.mask = mask
        self.label = label
        self.otherLabels = otherLabels
        self.caption = caption
    }
}

/// A split of the emoji world. Scenes of different splits never share a random stream.
public enum SceneSplit: String, CaseIterable, Sendable {
    /// Unlimited scenes to train the model on.
    case train
    /// The images from which the lens estimates means, thresholds and directions.
    case fit
    /// The evaluation images.
    case val
    /// Evaluation images whose masks are used.
    case seg
    /// Evaluation images in another rendition: outlines, greys, posters, blurs.
    case valR = "val-r"

    /// Number of scenes; nil for the unlimited split.
    public var count: Int? {
        switch self {
        case .train: nil
        case .fit: 5000
        case .val: 4000
        case .seg, .valR: 1000
        }
    }
}

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
