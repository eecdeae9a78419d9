/// Text from data in a document of Markdown, where it is to be text and nothing else.
enum Markdown {
    /// A line of its own.
    static func text(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("<", with: "&lt;").replacing("*", with: "\\*").replacing(
            "_", with: "\\_"
        )
        .replacing("\n", with: " ")
    }

    /// In a table.
    static func cell(_ text: String) -> String { self.text(text).replacing("|", with: "\\|") }
}
