/// What a number is about, as columns in an order that a reader expects: layer, condition, method …
///
/// ```swift
/// let subject: Subject = ["layer": "9", "condition": "without large norms"]
/// ```
public struct Subject: Hashable, Sendable, Codable, ExpressibleByDictionaryLiteral {
    public struct Column: Hashable, Sendable, Codable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var columns: [Column]

    public init(_ columns: [Column]) {
        self.columns = columns
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        columns = elements.map { Column($0, $1) }
    }

    /// The value of a column, nil where there is none of that name.
    public subscript(_ name: String) -> String? {
        columns.first { $0.name == name }?.value
    }
}
