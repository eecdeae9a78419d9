import Testing

@testable import CLIPModel

/// The parts of the tokenizer whose results are plain to see.
@Suite struct TokenizerPartsTests {
    private func words(_ text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var scanner = WordScanner(scalars, dialect: .huggingFace)
        var words: [String] = []
        while let range = scanner.next() {
            words.append(String(String.UnicodeScalarView(scalars[range])))
        }
        return words
    }

    @Test func bytesAreSpelledVisibly() {
        let spellings = ByteAlphabet.spellings
        #expect(spellings.count == 256)
        #expect(Set(spellings).count == 256)
        #expect(spellings[0x41] == "A")
        #expect(spellings[0x00] == "\u{100}")
        #expect(spellings[0x20] == "\u{120}")
        #expect(spellings[0xAD] == "\u{143}")
        #expect(spellings[0xFF] == "\u{FF}")
    }

    @Test(arguments: [
        ("", []),
        (" \u{3000}\u{A0}", []),
        ("a photo, of", ["a", "photo", ",", "of"]),
        ("it's we'll x'y", ["it", "'s", "we", "'ll", "x", "'", "y"]),
        // A contraction counts at its own beginning only.
        ("-'s ''s", ["-'", "s", "''", "s"]),
        ("12½", ["1", "2", "½"]),
        ("a\u{301}b", ["a", "\u{301}", "b"]),
        ("日本!?", ["日本", "!?"]),
        ("!!<|endoftext|>", ["!!<|", "endoftext", "|>"]),
        ("<|endoftext|>!!", ["<|", "endoftext", "|>", "!!"]),
        ("<|startoftext|>'s", ["<|", "startoftext", "|>", "'s"]),
    ])
    func textIsCutIntoWords(text: String, expected: [String]) {
        #expect(words(text) == expected)
    }

    @Test(
        arguments: [
            ("", [.text("")]),
            ("<|endoftext|>", [.text(""), .token(2), .text("")]),
            ("a<|startoftext|>b", [.text("a"), .token(1), .text("b")]),
            ("<<|endoftext|", [.text("<<|endoftext|")]),
            ("<|<|endoftext|>", [.text("<|"), .token(2), .text("")]),
        ] as [(String, [SpecialTokens.Part])])
    func textIsCutAtSpecialTokens(text: String, expected: [SpecialTokens.Part]) {
        #expect(SpecialTokens(start: 1, end: 2).parts(of: text) == expected)
    }

    @Test func theHeapSorts() {
        var heap = MinimumHeap<Int>()
        let numbers = (0..<200).map { $0 * $0 * 73 % 101 }
        for number in numbers { heap.insert(number) }
        var sorted: [Int] = []
        while let least = heap.popMinimum() { sorted.append(least) }
        #expect(sorted == numbers.sorted())
    }
}
