import Foundations
import Testing

@Suite struct DisplayWidthTests {
    @Test(arguments: [
        ("", 0), ("dog", 3), ("Straße", 6), ("e\u{301}", 1), ("−0.5", 4), ("犬", 2), ("いぬ", 4), ("한글", 4), ("Ａ", 2),
        ("ｱ", 1),
        ("🐶", 2), ("👩‍👩‍👧", 2), ("👍🏽", 2), ("🇫🇷", 2), ("❤", 1), ("❤\u{FE0F}", 2), ("a\r\n", 1), ("\u{200B}", 0), ("─", 1),
    ]) func columnsOfATerminal(text: String, width: Int) {
        #expect(text.displayWidth == width)
    }

    @Test func paddingFillsColumns() {
        #expect("犬".padded(to: 4) == "犬  " && "犬".padded(to: 4, atTheLeft: true) == "  犬")
        #expect("hamster".padded(to: 3) == "hamster")
    }
}
