import Foundation
import Foundations
import Inputs
import TestSupport
import Testing

/// Fonts and lists of emoji that are missing, cut or foreign give an `InputError` and never trap.
@Suite struct MalformedSourcesTests {
    let folder: TemporaryFolder
    let sources = EmojiSources()

    init() throws { folder = try TemporaryFolder() }

    private func with(_ path: WritableKeyPath<EmojiSources, URL>, _ file: URL) -> EmojiSources {
        var sources = sources
        sources[keyPath: path] = file
        return sources
    }

    @Test(arguments: [
        (\EmojiSources.font, "fonts-noto-color-emoji"),
        (\EmojiSources.annotations, "unicode-cldr-core"),
        (\EmojiSources.emojiTest, "unicode-data"),
    ])
    func missingFileNamesItsPackage(source: WritableKeyPath<EmojiSources, URL> & Sendable, package: String) throws {
        var sources = sources
        sources[keyPath: source] = folder.url.appendingPathComponent("absent")
        guard
            case .missingFile(sources[keyPath: source].path, let purpose)? = inputError({
                try SceneCompositor(sources: sources)
            })
        else {
            Issue.record("not reported as missing")
            return
        }
        #expect(purpose.contains(package))
    }

    // MARK: Fonts

    /// Loads a few sprites, which is enough to meet a font's faults.
    func load(_ font: URL) throws -> [Sprite] {
        try EmojiSprites.load(with(\.font, font), concepts: Array(World.compositor().catalogue.concepts.prefix(8)))
    }

    @Test(arguments: [0, 1, 12, 1000, 65536]) func randomBytesAreNoFont(count: Int) throws {
        var random = SplitMix64(seed: UInt64(count))
        let font = try folder.file("font.ttf", Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }))
        guard case .fontLibrary(font.path, "FT_New_Memory_Face", _)? = inputError({ try load(font) }) else {
            Issue.record("not refused by FreeType")
            return
        }
    }

    @Test func folderIsNoFont() {
        guard case .malformedFile(folder.url.path, _, _)? = inputError({ try load(folder.url) }) else {
            Issue.record("a folder was read")
            return
        }
    }

    @Test func textFontHasNoColourBitmaps() {
        guard case .fontLibrary(World.textFont.path, let operation, _)? = inputError({ try load(World.textFont) })
        else {
            Issue.record("not refused by FreeType")
            return
        }
        #expect(operation.hasPrefix("FT_Select_Size"))
    }

    @Test func conceptWithoutGlyphIsNamed() throws {
        var sources = sources
        sources.annotations = try annotations([("A", "letter a"), ("🚢", "ship")])
        sources.emojiTest = try emojiTest("0041 ; fully-qualified\n1F6A2 ; fully-qualified\n")
        #expect(
            inputError { try SceneCompositor(sources: sources) }
                == .missingGlyph(path: sources.font.path, codePoint: 0x41, name: "letter a"))
    }

    @Test(arguments: [4, 100, 5000, 60_000, 1_000_000]) func cutFontIsRefused(length: Int) throws {
        let font = try folder.file("cut.ttf", Data(contentsOf: sources.font).prefix(length))
        switch inputError({ try load(font) }) {
        case .fontLibrary(font.path, _, _), .missingGlyph(font.path, _, _): break
        case let other: Issue.record("\(String(describing: other))")
        }
    }

    @Test func damagedFontLoadsOrIsRefused() throws {
        let bytes = try Data(contentsOf: sources.font)
        var random = SplitMix64(seed: 1)
        for _ in 0..<24 {
            var damaged = bytes
            // Tables are described in the first bytes, bitmaps follow later.
            for _ in 0..<40 {
                damaged[random.below(random.below(2) == 0 ? 40_000 : bytes.count)] = UInt8(random.below(256))
            }
            let font = try folder.file("damaged.ttf", damaged)
            do {
                _ = try load(font)
            } catch is InputError {
                continue
            }
        }
    }

    // MARK: Annotations

    func annotations(_ names: [(String, String)]) throws -> URL {
        let elements = names.map { "<annotation cp=\"\($0.0)\" type=\"tts\">\($0.1)</annotation>" }.joined()
        return try folder.file("en.xml", "<ldml><annotations>\(elements)</annotations></ldml>")
    }

    @Test(arguments: [0, 1, 40, 500, 20_000, 200_000]) func cutAnnotationsAreRefused(length: Int) throws {
        let whole = try Data(contentsOf: sources.annotations)
        try #require(length < whole.count)
        try expectMalformed(annotations: folder.file("en.xml", whole.prefix(length)))
    }

    @Test func annotationsWithoutTheirEndAreRefused() throws {
        let whole = try Data(contentsOf: sources.annotations)
        let end = try #require(whole.lastIndex(of: UInt8(ascii: "<")))
        try expectMalformed(annotations: folder.file("en.xml", whole.prefix(upTo: end)))
    }

    @Test(arguments: [
        "not XML at all", "<ldml/>", "<html><body>404</body></html>", "\u{0}\u{0}\u{0}",
        "<ldml><annotation type=\"tts\">nameless</annotation></ldml>",
        "<ldml><annotation cp=\"🚢\" type=\"tts\"> </annotation></ldml>",
    ])
    func foreignAnnotationsAreRefused(text: String) throws {
        try expectMalformed(annotations: folder.file("en.xml", text))
    }

    @Test func annotationsThatAreNotTextAreRefused() throws {
        try expectMalformed(
            annotations: folder.file("en.xml", Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 151) })))
    }

    func expectMalformed(annotations: URL, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let error = inputError(sourceLocation: sourceLocation) {
            try EmojiCatalogue(with(\.annotations, annotations))
        }
        guard case .malformedFile(annotations.path, _, _)? = error else {
            Issue.record("\(String(describing: error))", sourceLocation: sourceLocation)
            return
        }
    }

    // MARK: emoji-test.txt

    func emojiTest(_ lines: String) throws -> URL { try folder.file("emoji-test.txt", "# group: Objects\n" + lines) }

    @Test(arguments: [
        "", "\n\n\n", "garbage", "1F6A2 ; fully-qualified\n", "# group: Objects\n",
        "# group: Objects\n1F6A2\n; fully-qualified\n ; fully-qualified\nFFFFFFFFFF ; fully-qualified\nD800 ; fully-qualified\n",
        // One concept alone is no world: a second object could not differ from it.
        "# group: Objects\n1F6A2 ; fully-qualified # 🚢 E0.6 ship\n",
        // The same concept twice.
        "# group: Objects\n1F6A2 ; fully-qualified\n1F6A2 ; fully-qualified\n",
    ])
    func foreignEmojiTestIsRefused(text: String) throws {
        let file = try folder.file("emoji-test.txt", text)
        try expectMalformed(emojiTest: file)
    }

    @Test func emojiTestThatIsNotTextIsRefused() throws {
        try expectMalformed(emojiTest: folder.file("emoji-test.txt", Data([0x23, 0xFF, 0xFE, 0x00, 0xC3])))
    }

    func expectMalformed(emojiTest: URL, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let error = inputError(sourceLocation: sourceLocation) {
            try EmojiCatalogue(with(\.emojiTest, emojiTest))
        }
        guard case .malformedFile(emojiTest.path, _, _)? = error else {
            Issue.record("\(String(describing: error))", sourceLocation: sourceLocation)
            return
        }
    }

    @Test func smallestWorldMakesScenes() throws {
        var sources = sources
        sources.emojiTest = try emojiTest("1F6A2 ; fully-qualified\n1F697 ; fully-qualified\n")
        let compositor = try SceneCompositor(sources: sources)
        let scenes = (0..<20).map { compositor.scene(.val, $0) }
        #expect(scenes.allSatisfy { $0.secondLabel == nil || $0.secondLabel == 1 - $0.label })
    }
}
