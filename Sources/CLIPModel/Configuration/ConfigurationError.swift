/// Why the configuration of a model folder cannot be used, or does not fit its weights.
public enum ConfigurationError: Error, Equatable, Sendable {
    /// There is no file at this path.
    case missingFile(path: String)
    /// The file is there, but could not be read.
    case unreadableFile(path: String, reason: String)
    /// The file is longer than any configuration; it was not read.
    case fileTooLarge(path: String, limitInBytes: Int)
    /// The file is not a JSON object.
    case notAJSONObject(path: String, reason: String)

    /// The value of a key is none that this engine can work with. Keys of nested objects are
    /// joined by dots; `found` is the value as JSON, shortened.
    case invalidValue(path: String, key: String, found: String, expected: Expectation)

    /// A key asks for a part of an architecture that this engine does not have, or is none that it knows. Keys of
    /// nested objects are joined by dots; `found` is the value as JSON, shortened.
    case unsupportedKey(path: String, key: String, found: String)

    /// A key of the preprocessing asks for pictures to be prepared in a way that this engine does not have, or is
    /// none that it knows. `supported` are the values that it has.
    case unsupportedPreprocessing(path: String, key: String, found: String, supported: [String])

    /// The tensors of a checkpoint are not those of the architecture.
    ///
    /// - Parameters:
    ///   - missing: parameters that the checkpoint lacks.
    ///   - unexpected: tensors that the architecture has no use for.
    ///   - mismatched: parameters whose shape differs.
    case parametersDisagree(
        path: String, missing: [String], unexpected: [String], mismatched: [ShapeMismatch])

    /// What a value should have been.
    public enum Expectation: Equatable, Sendable {
        case integer(ClosedRange<Int>)
        /// An integer that this one divides without remainder.
        case divisor(of: Int)
        case number(ClosedRange<Double>)
        /// As many numbers as this, each in the range.
        case numbers(count: Int, ClosedRange<Double>)
        case boolean
        case object
        case string
        /// The name of a file in the same folder, without a path.
        case fileName
        /// One of these strings.
        case oneOf([String])
        /// This integer and no other.
        case exactly(Int)
        /// `{"shortest_edge": n}`, `{"height": n, "width": n}` or n.
        case size
    }

    /// A parameter of one shape in the architecture and another in the checkpoint.
    public struct ShapeMismatch: Equatable, Sendable {
        public var name: String
        public var expected: [Int]
        public var found: [Int]

        public init(name: String, expected: [Int], found: [Int]) {
            self.name = name
            self.expected = expected
            self.found = found
        }
    }
}
