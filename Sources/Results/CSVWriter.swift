import Foundation

/// Writes RFC 4180: fields quoted where needed, lines ended by CR LF.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before it, which
/// spreadsheets do not show. Numbers are written with the fewest digits that read back the same;
/// a number that is missing is an empty field, and there is never a NaN.
struct CSVWriter {
    enum Cell {
        case text(String?)
        case integer(Int?)
        case number(Double?)
        case bool(Bool)
    }

    private(set) var data = Data()

    init(header: [String]) {
        add(header.map { .text($0) })
    }

    mutating func add(_ row: [Cell]) {
        for (index, cell) in row.enumerated() {
            if index > 0 { data.append(UInt8(ascii: ",")) }
            data.append(contentsOf: Self.field(cell).utf8)
        }
        data.append(contentsOf: "\r\n".utf8)
    }

    private static func field(_ cell: Cell) -> String {
        switch cell {
        case .text(let text): quoted(neutral(text ?? ""))
        case .integer(let number): number.map { String($0) } ?? ""
        case .number(let number): number.flatMap { $0.isFinite ? $0.description : nil } ?? ""
        case .bool(let value): value ? "true" : "false"
        }
    }

    private static func neutral(_ text: String) -> String {
        // Some programs trim spaces before they look for a formula.
        let first = text.utf8.first { $0 != UInt8(ascii: " ") }
        guard let first, "=+-@\t\r\n".utf8.contains(first) else { return text }
        return "'" + text
    }

    private static func quoted(_ text: String) -> String {
        let special = text.utf8.contains { ",\"\r\n".utf8.contains($0) }
        let spaced = text.utf8.first == UInt8(ascii: " ") || text.utf8.last == UInt8(ascii: " ")
        guard special || spaced else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
