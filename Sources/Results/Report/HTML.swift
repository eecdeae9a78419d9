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

/// How facts of runs are written on a page.
enum ReportWords {
    static func state(_ state: RunState) -> String {
        switch state {
        case .running: "running"
        case .abandoned: "abandoned: its process is gone"
        case .ended(let ending): ending.rawValue
        }
    }

    /// `2026-11-21T21:57:21Z` as `2026-11-21 21:57 UTC`; what is no such time as it is.
    static func time(_ iso: String) -> String {
        guard let match = iso.wholeMatch(of: /(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ/) else { return iso }
        return "\(match.1) \(match.2) UTC"
    }

    static func work(_ step: ReportedStep) -> String {
        switch (step.step.status, step.computedBy) {
        case (.notNeeded, _): "not needed"
        case (_, let run?): "computed by run \(run)"
        case (_, nil): step.step.status.rawValue
        }
    }

    static func duration(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
        if seconds < 10 { return NumberFormat(decimals: 1, suffix: " s").text(seconds) }
        if seconds < 120 { return NumberFormat(decimals: 0, suffix: " s").text(seconds) }
        let minutes = Int((seconds / 60).rounded())
        return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }

    static func commit(_ run: StoredRun) -> String {
        guard let commit = run.commit else { return "none: outside a repository" }
        return run.isDirty ? "\(commit), with changes that are not committed" : commit
    }

    static func shortCommit(_ run: StoredRun) -> String {
        guard let commit = run.commit else { return "–" }
        return String(commit.prefix(10)) + (run.isDirty ? "+" : "")
    }
}
