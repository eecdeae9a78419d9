import Testing

@testable import CLIPModel

/// The sequences in which Foundation's composition differs from the standard's, and the limits
/// that the library's version of Unicode sets.
@Suite struct CanonicalCompositionTests {
    @Test(arguments: [
        ("e\u{301}", "\u{E9}"),
        ("e\u{323}\u{301}", "\u{1EB9}\u{301}"),
        ("\u{212B}", "\u{C5}"),
        ("\u{958}", "\u{915}\u{93C}"),
        // A syllable takes a final jamo, if it has none; older jamo compose with nothing.
        ("\u{B098}\u{11AE}", "\u{B09F}"),
        ("\u{1102}\u{1161}\u{11AE}", "\u{B09F}"),
        ("\u{B09F}\u{11AE}", "\u{B09F}\u{11AE}"),
        ("\u{B098}\u{11A7}", "\u{B098}\u{11A7}"),
        ("\u{1101}\u{1176}", "\u{1101}\u{1176}"),
        ("\u{1113}\u{1161}", "\u{1113}\u{1161}"),
        // Supplementary scalars are not their lower 16 bits.
        ("\u{103B1}\u{300}", "\u{103B1}\u{300}"),
        ("\u{11099}\u{110BA}", "\u{1109A}"),
        // Marks that stand within one scalar are sorted.
        ("\u{F71}\u{F72}\u{F73}", "\u{F71}\u{F71}\u{F72}\u{F72}"),
        // U+1DFA came with Unicode 14: the library does not move it, nor anything across it.
        ("b\u{301}\u{1DFA}\u{323}", "b\u{301}\u{1DFA}\u{323}"),
        ("b\u{301}\u{323}", "\u{1E05}\u{301}"),
    ])
    func composes(text: String, expected: String) {
        let composed = CanonicalComposition.ofTokenizersLibrary.compose(text.unicodeScalars)
        #expect(composed == Array(expected.unicodeScalars))
    }

    @Test func everySyllableComesBack() {
        for value in UInt32(0xAC00)...0xD7A3 {
            let syllable = Unicode.Scalar(value)!
            #expect(CanonicalComposition.ofTokenizersLibrary.compose(CollectionOfOne(syllable)) == [syllable])
        }
    }
}
