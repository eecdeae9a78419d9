import Foundation

/// A piece of a page, in which text from data is always text.
struct HTML: Sendable, ExpressibleByStringInterpolation {
    private(set) var source: String

    /// Markup of this program's own, as it stands.
    init(stringLiteral source: String) { self.source = source }
    init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }
    /// Markup that somebody else has checked.
    init(markup source: String) { self.source = source }

    static func += (a: inout HTML, b: HTML) { a.source += b.source }
    static func + (a: HTML, b: HTML) -> HTML { HTML(markup: a.source + b.source) }

    /// What is put into markup: other markup as it is, everything else escaped.
    struct StringInterpolation: StringInterpolationProtocol {
        var source = ""

        init(literalCapacity: Int, interpolationCount: Int) {}
        mutating func appendLiteral(_ literal: String) { source += literal }
        mutating func appendInterpolation(_ html: HTML) { source += html.source }
        mutating func appendInterpolation(_ html: HTML?) { source += html?.source ?? "" }
        mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { source += piece.source } }
        mutating func appendInterpolation(_ text: String) { source += HTML.escaped(text) }
        mutating func appendInterpolation(_ number: Int) { source += "\(number)" }
    }

    /// For the content of elements and for attributes in quotes. Control characters, which no document may hold,
    /// become the character that stands for what cannot be shown.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.properties.generalCategory == .control: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// JSON that stands in a `<script type="application/json">`: no text in it can end the element or open a comment.
    /// - Throws: `EncodingError`.
    static func json(_ value: some Encodable) throws -> HTML {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        return HTML(
            markup: text.replacing("<", with: "\\u003C").replacing("\u{2028}", with: "\\u2028").replacing(
                "\u{2029}", with: "\\u2029"))
    }
}
