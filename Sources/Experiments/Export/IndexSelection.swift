/// Indices as people write them: `0..<64`, `0...63`, `3`, or several of these with commas, in the order in which
/// they are wanted.
public struct IndexSelection: Sendable, Equatable {
    /// As it was written.
    public let text: String
    private let ranges: [Range<Int>]

    /// - Returns: nil for a text that is no selection, a range without an index included.
    public init?(_ text: String) {
        var ranges: [Range<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = Self.range(part) else { return nil }
            ranges.append(range)
        }
        self.text = text
        self.ranges = ranges
    }

    private static func range(_ text: Substring) -> Range<Int>? {
        if let index = number(text) { return index..<index + 1 }
        for (separator, more) in [("..<", 0), ("...", 1)] {
            let bounds = text.split(separator: separator, omittingEmptySubsequences: false)
            guard bounds.count == 2, let lower = number(bounds[0]), let upper = number(bounds[1]) else { continue }
            return lower < upper + more ? lower..<upper + more : nil
        }
        return nil
    }

    /// Nine digits at most: nothing in a model is counted further.
    private static func number(_ text: Substring) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    /// The largest index.
    var largest: Int { (ranges.map(\.upperBound).max() ?? 0) - 1 }

    /// The indices one by one; nil where one stands twice. Ask for ``largest`` first: there may be a billion.
    func indices() -> [Int]? {
        let all = ranges.flatMap(Array.init)
        return Set(all).count == all.count ? all : nil
    }
}
