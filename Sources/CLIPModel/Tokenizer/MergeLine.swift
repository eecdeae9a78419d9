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
