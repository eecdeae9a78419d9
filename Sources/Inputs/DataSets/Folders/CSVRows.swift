/// The rows of a CSV file by RFC 4180: fields parted by commas, in quotes where they hold commas, quotes
/// (doubled) or line ends. Lines end in `\r\n` or `\n`; a byte order mark is passed over.
struct CSVRows {
    struct Row {
        /// Line of the file where the row begins, from 1.
        let line: Int
        let fields: [String]
    }

    let rows: [Row]

    /// - Parameter path: for errors.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)`` with the line.
    init(_ text: String, path: String) throws {
        var scanner = Scanner(bytes: Array(text.utf8), path: path)
        rows = try scanner.rows()
    }

    private struct Scanner {
        let bytes: [UInt8]
        let path: String
        var position = 0
        var line = 1

        private static let (quote, comma, newline, carriageReturn) =
            (UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r"))

        init(bytes: [UInt8], path: String) {
            (self.bytes, self.path) = (bytes, path)
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        }

        func failure(_ expected: String) -> InputError {
            .malformedFile(path: path, place: "line \(line)", expected: expected)
        }

        mutating func rows() throws -> [Row] {
            var rows: [Row] = []
            while position < bytes.count {
                let start = line
                var fields = [try field()]
                while position < bytes.count, bytes[position] == Self.comma {
                    position += 1
                    fields.append(try field())
                }
                try lineEnd()
                // An empty line holds no record.
                if fields != [""] { rows.append(Row(line: start, fields: fields)) }
            }
            return rows
        }

        private mutating func lineEnd() throws {
            if position == bytes.count { return }
            if bytes[position] == Self.carriageReturn { position += 1 }
            guard position < bytes.count, bytes[position] == Self.newline else {
                throw failure("a comma or the end of a line behind a field")
            }
            position += 1
            line += 1
        }

        private mutating func field() throws -> String {
            var content: [UInt8] = []
            if position < bytes.count, bytes[position] == Self.quote {
                position += 1
                while true {
                    guard position < bytes.count else { throw failure("a quote at the end of a quoted field") }
                    let byte = bytes[position]
                    position += 1
                    if byte == Self.quote {
                        guard position < bytes.count, bytes[position] == Self.quote else { break }
                        position += 1
                    }
                    if byte == Self.newline { line += 1 }
                    content.append(byte)
                }
            } else {
                while position < bytes.count,
                    ![Self.comma, Self.newline, Self.carriageReturn].contains(bytes[position])
                {
                    guard bytes[position] != Self.quote else {
                        throw failure("quotes around the whole field, and doubled in it")
                    }
                    content.append(bytes[position])
                    position += 1
                }
            }
            return String(decoding: content, as: UTF8.self)
        }
    }
}
