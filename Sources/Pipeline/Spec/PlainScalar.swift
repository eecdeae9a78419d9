import Foundation

/// What a scalar without quotes means, in the part of YAML that all its versions agree on.
///
/// YAML 1.1 reads `no` as false, `08` as text and `1e3` as text; YAML 1.2 reads text, 8 and 1000.
/// Whoever writes such a scalar can be misread, so a typed reader refuses it.
enum PlainScalar {
    static func integer(_ text: String) -> Int? {
        guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)/) != nil else { return nil }
        return Int(text)
    }

    /// A finite number. An exponent needs a point before it and a sign in it: `1.0e-5`.
    static func number(_ text: String) -> Double? {
        guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+([eE][-+][0-9]+)?)?/) != nil,
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "true": true
        case "false": false
        default: nil
        }
    }

    /// Whether some reader of YAML takes the text for something other than text.
    static func isAmbiguous(_ text: String) -> Bool {
        let lowered = text.lowercased()
        return reservedWords.contains(lowered)
            || text.wholeMatch(of: /[-+]?(0x[0-9a-fA-F_]+|0o?[0-7_]+|0b[01_]+)/) != nil
            || text.wholeMatch(of: /[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?/) != nil
            || text.wholeMatch(of: /[-+]?(\.[0-9]|[0-9])[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?/)
                != nil
            || text.wholeMatch(of: /[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*/) != nil
    }

    static func kind(of text: String) -> SpecFault.ValueKind {
        if text.isEmpty || text == "~" || text.lowercased() == "null" { return .null }
        if boolean(text) != nil { return .boolean }
        if integer(text) != nil { return .integer }
        if number(text) != nil { return .number }
        return .text
    }

    private static let reservedWords: Set<String> = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~",
        ".nan", ".inf", "-.inf", "+.inf",
    ]
}
