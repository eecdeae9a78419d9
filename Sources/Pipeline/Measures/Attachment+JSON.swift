import Foundation

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
