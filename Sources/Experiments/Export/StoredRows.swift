import Foundations
import Pipeline

/// Rows of numbers somewhere in a file that is being made. Any thread may write and read any row.
struct StoredRows: Sendable {
    let file: PendingFile
    /// Where the first number stands.
    let offset: Int
    let count: Int
    /// Numbers in a row.
    let width: Int

    /// - Throws: `OutputError`.
    func write(_ values: UnsafePointer<Float>, rows: Range<Int>) throws {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) of \(count)")
        try file.write(
            UnsafeRawBufferPointer(start: values, count: rows.count * width * 4), at: place(rows.lowerBound, 0))
    }

    /// Writes a part of a row.
    /// - Throws: `OutputError`.
    func write(_ values: UnsafePointer<Float>, row: Int, columns: Range<Int>) throws {
        check(row, columns)
        try file.write(
            UnsafeRawBufferPointer(start: values, count: columns.count * 4), at: place(row, columns.lowerBound))
    }

    /// - Throws: `OutputError`.
    func read(_ values: UnsafeMutablePointer<Float>, row: Int, columns: Range<Int>) throws {
        check(row, columns)
        try file.read(
            at: place(row, columns.lowerBound),
            into: UnsafeMutableRawBufferPointer(start: values, count: columns.count * 4))
    }

    private func check(_ row: Int, _ columns: Range<Int>) {
        precondition(
            (0..<count).contains(row) && columns.lowerBound >= 0 && columns.upperBound <= width,
            "\(columns) of row \(row)")
    }

    private func place(_ row: Int, _ column: Int) -> Int { offset + (row * width + column) * 4 }
}
