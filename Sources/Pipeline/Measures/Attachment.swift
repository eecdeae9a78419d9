import Foundation

/// A file that belongs to a report beside its rows: a picture, or a list too long for a table.
public struct Attachment: Sendable {
    public enum Content: Sendable {
        /// Rows under a header, written as CSV.
        case list(header: [String], rows: [[Field]])
        /// The bytes of a file, such as a PNG.
        case bytes(Data)
    }

    /// A field of a list.
    public enum Field: Sendable, Hashable {
        case text(String)
        case integer(Int)
        /// Empty where it is not finite.
        case number(Double)
    }

    /// File name with its extension, such as `neurons.csv`.
    public var name: String
    public var content: Content

    public init(_ name: String, _ content: Content) {
        self.name = name
        self.content = content
    }
}

extension Attachment {
    /// A JSON file; equal values give equal bytes.
    public init(_ name: String, json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(name, .bytes(try encoder.encode(value)))
    }

    /// The name under which an experiment keeps its ``FigureLayout``s.
    public static let figures = "figures.json"
}
