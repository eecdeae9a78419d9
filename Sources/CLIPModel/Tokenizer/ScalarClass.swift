/// What CLIP's pattern tells apart: `\p{L}`, `\p{N}`, `\s`, and the rest.
enum ScalarClass {
    case letter, number, whitespace, other

    /// The version of Unicode whose letters and numbers the `tokenizers` library knows, by way of
    /// Oniguruma: compared scalar by scalar with release 0.23.3. To it, those that came later
    /// (4657 in Unicode 17) are unassigned: the rest.
    private static let versionOfTokenizersLibrary = (major: 16, minor: 0)

    /// The one mark that is a letter's variant in another case: where case is ignored, as OpenAI's
    /// expression does, Python's `regex` has it match neither `[\p{L}]` nor its complement.
    private static let markWithCase: Unicode.Scalar = "\u{345}"

    init(_ scalar: Unicode.Scalar, dialect: TokenizerDialect) {
        switch scalar.value {
        case 0x61...0x7A, 0x41...0x5A: self = .letter
        case 0x30...0x39: self = .number
        case 0x20, 0x09...0x0D: self = .whitespace
        case 0x00..<0x80: self = .other
        default: self = Self.beyondASCII(scalar, dialect)
        }
    }

    private static func beyondASCII(_ scalar: Unicode.Scalar, _ dialect: TokenizerDialect) -> ScalarClass {
        if scalar == markWithCase, dialect != .huggingFace { return .whitespace }
        let properties = scalar.properties
        let scalarClass: ScalarClass
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            scalarClass = .letter
        case .decimalNumber, .letterNumber, .otherNumber:
            scalarClass = .number
        default:
            return properties.isWhitespace ? .whitespace : .other
        }
        if dialect != .huggingFace { return scalarClass }
        guard let age = properties.age, age <= versionOfTokenizersLibrary else { return .other }
        return scalarClass
    }
}
