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
        for (index, line) in lines.enumerated() where !line.starts(with: "#version".utf8) {
            let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let parts = content.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw .malformedMerge(path: url.path, line: index + 1, parts: parts.count)
            }
            func id(_ symbol: Vocabulary.Token) throws(TokenizerError) -> Int {
                guard let id = vocabulary[symbol] else {
                    throw .mergeSymbolNotInVocabulary(
                        path: url.path, line: index + 1,
                        symbol: String(decoding: symbol, as: UTF8.self))
                }
                return id
            }
            let pair = Pair(left: try id(parts[0]), right: try id(parts[1]))
            let merge = Merge(rank: index, result: try id(parts[0] + parts[1]))
            guard merges.updateValue(merge, forKey: pair) == nil else {
                throw .duplicateMerge(
                    path: url.path, line: index + 1,
                    left: String(decoding: parts[0], as: UTF8.self),
                    right: String(decoding: parts[1], as: UTF8.self))
            }
        }
        self.merges = merges
    }

    /// The merge of two neighbours, or nil where they stay apart.
    subscript(left: Int, right: Int) -> Merge? { merges[Pair(left: left, right: right)] }
}
