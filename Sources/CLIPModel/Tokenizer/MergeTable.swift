import Foundation

/// The merges of `merges.txt`: which two symbols become one, and which merge goes first.
///
/// Each line holds two symbols with one space between them; its place in the file is its rank.
/// Lines that start with `#version` are skipped, as in the `tokenizers` library.
struct MergeTable: Sendable {
    struct Pair: Hashable, Sendable {
        var left: Int
        var right: Int
    }

    struct Merge: Sendable {
        /// Merges with a lower rank go first.
        var rank: Int
        /// The id of the symbol that replaces the pair.
        var result: Int
    }

    private static let header = Array("#version".utf8)

    private let merges: [Pair: Merge]

    /// Reads `merges.txt`.
    ///
    /// - Throws: ``TokenizerError`` with the line of the merge that is malformed, is a repetition,
    ///   or has a symbol that the vocabulary lacks.
    init(contentsOf url: URL, vocabulary: Vocabulary) throws(TokenizerError) {
        let bytes = try TokenizerFile.bytes(at: url)
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }

        var merges: [Pair: Merge] = [:]
        merges.reserveCapacity(lines.count)
        for (index, line) in lines.enumerated() where !line.starts(with: Self.header) {
            let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let parts = content.split(
                separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw .malformedMerge(path: url.path, line: index + 1, parts: parts.count)
            }
            func id(_ symbol: ByteString) throws(TokenizerError) -> Int {
                guard let id = vocabulary[symbol] else {
                    throw .mergeSymbolNotInVocabulary(
                        path: url.path, line: index + 1, symbol: symbol.description)
                }
                return id
            }
            let left = ByteString(parts[0])
            let right = ByteString(parts[1])
            let pair = Pair(left: try id(left), right: try id(right))
            let merge = Merge(rank: index, result: try id(ByteString(left.bytes + right.bytes)))
            guard merges.updateValue(merge, forKey: pair) == nil else {
                throw .duplicateMerge(
                    path: url.path, line: index + 1,
                    left: left.description, right: right.description)
            }
        }
        self.merges = merges
    }

    /// The merge of two neighbours, or nil where they stay apart.
    subscript(left: Int, right: Int) -> Merge? { merges[Pair(left: left, right: right)] }
}
