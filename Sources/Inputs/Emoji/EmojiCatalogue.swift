import Foundation
import Foundations

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// One class of the emoji world: a code point, its CLDR short name and its CLDR keywords.
public struct EmojiConcept: Hashable, Sendable {
    /// The Unicode scalar that the colour font draws.
    public let scalar: Unicode.Scalar
    /// CLDR's short name in lower case, the class name of the zero-shot classifier.
    public let name: String
    /// CLDR's keywords in lower case, without the name itself, in CLDR's order.
    public let keywords: [String]
    /// The group of `emoji-test.txt`, such as "Food & Drink".
    public let group: String
    /// The subgroup of `emoji-test.txt`, such as "animal-mammal".
    public let subgroup: String
}

/// The concepts of the emoji world in the order of `emoji-test.txt`.
///
/// Kept are fully-qualified emoji of one code point (a trailing variation selector not counted) of
/// five groups that show things; clock faces and moon phases are left out because at 64×64 pixels
/// they differ by a few pixels only, and so are code points that the annotation file does not name.
public struct EmojiCatalogue: Sendable {
    public let concepts: [EmojiConcept]

    public var names: [String] { concepts.map(\.name) }

    /// Groups of `emoji-test.txt` whose members are things that a picture can show.
    static let groups: Set<String> = [
        "Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects",
    ]

    /// Moon phases beside the four that stay distinguishable (new, full, crescent, full with a face).
    static let nearDuplicateMoons: Set<UInt32> = [
        0x1F312, 0x1F313, 0x1F314, 0x1F316, 0x1F317, 0x1F318, 0x1F31A, 0x1F31B, 0x1F31C,
    ]

    /// Numbers of concepts that make a world: a scene may show two, and their labels are 16-bit numbers.
    static let counts = 2..<Int(UInt16.max)

    /// Reads Unicode's `emoji-test.txt` (groups and order) and CLDR's `annotations/en.xml` (names and keywords).
    /// - Throws: ``InputError`` when a file is missing or malformed.
    public init(_ sources: EmojiSources) throws {
        let named = try CLDRAnnotations(sources)
        let emojiTest = sources.emojiTest
        let data = try sources.contents(
            of: emojiTest, purpose: "the groups of the emoji, from Debian's package unicode-data")
        func malformed(_ place: String, _ expected: String) -> InputError {
            .malformedFile(path: emojiTest.path, place: place, expected: expected)
        }
        guard let text = String(data: data, encoding: .utf8) else { throw malformed("whole file", "UTF-8 text") }
        var (group, subgroup) = ("", "")
        var concepts: [EmojiConcept] = []
        var names: Set<String> = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let title = Self.title(line, after: "# group: ") { (group, subgroup) = (title, "") }
            if let title = Self.title(line, after: "# subgroup: ") { subgroup = title }
            guard Self.groups.contains(group),
                let scalar = Self.fullyQualifiedSingleScalar(line),
                !Self.nearDuplicateMoons.contains(scalar.value),
                !Self.isClockFace(scalar),
                let name = named.names[scalar]
            else { continue }
            guard names.insert(name).inserted else {
                throw malformed("line \(number + 1)", "an emoji that does not stand above, this is '\(name)' again")
            }
            let keywords = (named.keywords[scalar] ?? []).filter { $0 != name }
            concepts.append(
                EmojiConcept(scalar: scalar, name: name, keywords: keywords, group: group, subgroup: subgroup))
        }
        guard Self.counts.contains(concepts.count) else {
            throw malformed("whole file", "two or more lines '1F6A2 ; fully-qualified # …' under '# group:'")
        }
        self.concepts = concepts
    }

    private static func title(_ line: Substring, after prefix: String) -> String? {
        line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)).trimmingCharacters(in: .whitespaces) : nil
    }

    /// The scalar of a line such as `1F6A2 ; fully-qualified # 🚢 E0.6 ship`, if it is the line's only one.
    private static func fullyQualifiedSingleScalar(_ line: Substring) -> Unicode.Scalar? {
        guard let semicolon = line.firstIndex(of: ";"),
            line[line.index(after: semicolon)...].drop(while: { $0 == " " }).hasPrefix("fully-qualified")
        else { return nil }
        var codes = line[..<semicolon].split(separator: " ")
        if codes.count == 2, codes[1] == "FE0F" { codes.removeLast() }
        guard codes.count == 1, let value = UInt32(codes[0], radix: 16) else { return nil }
        return Unicode.Scalar(value)
    }

    private static func isClockFace(_ scalar: Unicode.Scalar) -> Bool {
        (0x1F550...0x1F567).contains(scalar.value)
    }
}

/// Names and keywords of CLDR's `annotations/en.xml`.
private final class CLDRAnnotations: NSObject, XMLParserDelegate {
    private(set) var names: [Unicode.Scalar: String] = [:]
    private(set) var keywords: [Unicode.Scalar: [String]] = [:]
    private var current: (scalar: Unicode.Scalar, isName: Bool)?
    private var text = ""
    /// Elements that are open, and whether the outermost one was closed: `XMLParser` of
    /// swift-corelibs-foundation reports success for a file that ends in its middle.
    private var depth = 0
    private var isComplete = false

    init(_ sources: EmojiSources) throws {
        super.init()
        let url = sources.annotations
        let data = try sources.contents(
            of: url, purpose: "the names and keywords of the emoji, from Debian's package unicode-cldr-core")
        let parser = XMLParser(data: data)
        parser.delegate = self
        guard parser.parse(), isComplete, !names.isEmpty else {
            throw InputError.malformedFile(
                path: url.path, place: "line \(parser.lineNumber)",
                expected: "a complete file of CLDR <annotation cp=…> elements")
        }
    }

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
    ) {
        depth += 1
        current = nil
        text = ""
        guard element == "annotation", let characters = attributes["cp"]?.unicodeScalars,
            characters.count == 1, let scalar = characters.first
        else { return }
        current = (scalar, attributes["type"] == "tts")
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if current != nil { text += string }
    }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        depth -= 1
        isComplete = depth == 0
        guard let (scalar, isName) = current else { return }
        current = nil
        if isName {
            let name = Self.normalised(text)
            names[scalar] = name.isEmpty ? nil : name
        } else {
            keywords[scalar] = text.split(separator: "|").map { Self.normalised(String($0)) }.filter { !$0.isEmpty }
        }
    }

    private static func normalised(_ word: String) -> String {
        word.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
    }
}

/// The files that the emoji world is made of, where Debian's packages put them.
public struct EmojiSources: Sendable {
    /// `fonts-noto-color-emoji`
    public var font = URL(fileURLWithPath: "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
    /// `unicode-cldr-core`
    public var annotations = URL(fileURLWithPath: "/usr/share/unicode/cldr/common/annotations/en.xml")
    /// `unicode-data`
    public var emojiTest = URL(fileURLWithPath: "/usr/share/unicode/emoji/emoji-test.txt")
    /// The digests that a manifest states, with which the bytes are compared whenever they are read.
    var stated: Stated?

    struct Stated {
        var dataset: String
        /// SHA-256 by the file's path.
        var digests: [URL: String]
    }

    public init() {}

    /// - Throws: ``InputError``: `.digestMismatch` where the bytes are not those that are stated.
    func contents(of file: URL, purpose: String) throws -> Data {
        let data = try InputError.contents(of: file, purpose: purpose)
        if let stated, let expected = stated.digests[file] {
            let found = Digest.sha256(of: data)
            guard found == expected else {
                throw InputError.digestMismatch(
                    dataset: stated.dataset, what: file.path, expected: expected, found: found)
            }
        }
        return data
    }
}

extension SceneCompositor {
    /// Reads the catalogue and the sprites.
    /// - Throws: ``InputError`` when a file is missing or malformed or the recipe is out of range.
    public init(sources: EmojiSources, recipe: SceneRecipe = SceneRecipe(), seed: UInt64 = 0) throws {
        let catalogue = try EmojiCatalogue(sources)
        let sprites = try EmojiSprites.load(sources, concepts: catalogue.concepts)
        try self.init(catalogue: catalogue, sprites: sprites, recipe: recipe, seed: seed)
    }
}
