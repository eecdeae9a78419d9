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
        var lines: [MergeLine] = []
        for (index, line) in MergeLine.lines(of: try TokenizerFile.bytes(at: url)).enumerated()
        where !line.starts(with: Self.header) {
            lines.append(try MergeLine(line, number: index + 1, path: url.path))
        }
        try self.init(lines, path: url.path, vocabulary: vocabulary)
    }

    /// - Throws: ``TokenizerError`` with the line of the merge that is a repetition, or has a symbol that
    ///   the vocabulary lacks.
    init(_ lines: [MergeLine], path: String, vocabulary: Vocabulary) throws(TokenizerError) {
        var merges: [Pair: Merge] = [:]
        merges.reserveCapacity(lines.count)
        for line in lines {
            func id(_ symbol: ByteString) throws(TokenizerError) -> Int {
                guard let id = vocabulary[symbol] else {
                    throw .mergeSymbolNotInVocabulary(
                        path: path, line: line.number, symbol: symbol.description)
                }
                return id
            }
            let pair = Pair(left: try id(line.left), right: try id(line.right))
            let merge = Merge(rank: line.number, result: try id(line.merged))
            guard merges.updateValue(merge, forKey: pair) == nil else {
                throw .duplicateMerge(
                    path: path, line: line.number,
                    left: line.left.description, right: line.right.description)
            }
        }
        self.merges = merges
    }

    /// The two symbols that each merged one was made of; of several pairs, which spell the same, any.
    var parts: [Int: Pair] {
        Dictionary(merges.map { ($0.value.result, $0.key) }, uniquingKeysWith: { first, _ in first })
    }

    /// The merge of two neighbours, or nil where they stay apart.
    subscript(left: Int, right: Int) -> Merge? { merges[Pair(left: left, right: right)] }
}

/// One line of a file of merges: two symbols with one space between them.
struct MergeLine {
    /// Counts from 1.
    let number: Int
    let left: ByteString
    let right: ByteString

    /// What the merge makes.
    var merged: ByteString { ByteString(left.bytes + right.bytes) }

    /// - Throws: ``TokenizerError/malformedMerge(path:line:parts:)``.
    init(_ line: ArraySlice<UInt8>, number: Int, path: String) throws(TokenizerError) {
        let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        let parts = content.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw .malformedMerge(path: path, line: number, parts: parts.count)
        }
        self.number = number
        left = ByteString(parts[0])
        right = ByteString(parts[1])
    }

    /// The lines of a file, without the empty one after the last line break.
    static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}
