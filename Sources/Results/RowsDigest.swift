import Foundation
import Foundations
import GRDB
import Pipeline

/// A digest of the rows of a run: equal digests mean that every row is the same.
enum RowsDigest {
    static func digest(of rows: RunRows) throws -> String {
        var writer = FieldWriter()
        writer.add(rows.metrics.count)
        for metric in rows.metrics {
            for column in MetricColumn.all { writer.add(column.value(metric)) }
            add(metric.terms, to: &writer)
        }
        writer.add(rows.layouts.count)
        for layout in rows.layouts { writer.add(try RowJSON.text(layout)) }
        writer.add(rows.attachments.count)
        for attachment in rows.attachments {
            for text in [attachment.name, attachment.file, attachment.sha256] { writer.add(text) }
        }
        writer.add(rows.predictions.count)
        for set in rows.predictions {
            writer.add(set.experiment)
            writer.add(RowJSON.object(set.condition))
            writer.add(set.predictions.count)
            for row in set.predictions {
                writer.add(row.imageID)
                writer.add(row.label)
                writer.add(row.prediction)
                writer.add(row.margin)
            }
        }
        return writer.digest
    }

    private static func add(_ terms: ImageTerms?, to writer: inout FieldWriter) {
        writer.add(terms?.terms.count)
        for term in terms?.terms ?? [] {
            writer.add(terms?.images[term.image])
            writer.add(terms?.parts[term.part])
            writer.add(term.numerator)
            writer.add(term.denominator)
        }
    }

    /// Digests fields so that different sequences of fields give different bytes.
    private struct FieldWriter {
        private var hash = RunningDigest()
        /// Those that are not digested yet.
        private var bytes: [UInt8] = []

        var digest: String {
            var hash = hash
            hash.add(bytes)
            return hash.value
        }

        mutating func add(_ field: Field) {
            switch field {
            case .text(let text): add(text)
            case .integer(let number): add(number)
            case .number(let number): add(number)
            case .flag(let value): add(value ? 1 : 0)
            }
        }

        mutating func add(_ text: String?) {
            add(text?.utf8.count)
            if let text { bytes.append(contentsOf: text.utf8) }
        }

        mutating func add(_ number: Double?) {
            // SQLite does not keep the sign of a zero.
            add((number.map { $0 == 0 ? 0 : $0 }?.bitPattern).map { Int(truncatingIfNeeded: $0) })
        }

        mutating func add(_ number: Int?) {
            bytes.append(number == nil ? 0 : 1)
            if let number {
                withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
            }
            guard bytes.count > 1 << 16 else { return }
            hash.add(bytes)
            bytes.removeAll(keepingCapacity: true)
        }
    }
}

/// A digest of rows as the database has them.
struct StoredDigest {
    /// The digest so far, and the rows since then: memory does not grow with them.
    private var bytes: [UInt8] = []
    private var prefix = 0

    /// Adds what a query gives, under a name.
    mutating func add(_ name: String, _ query: String, of run: Int64, _ db: Database) throws {
        bytes.append(contentsOf: name.utf8)
        let statement = try db.cachedStatement(sql: query)
        let rows = try Row.fetchCursor(statement, arguments: [run])
        let columns = CInt(statement.columnCount)
        while try rows.next() != nil {
            // From the statement: a row looks for the type of every value anew, a million times.
            for column in 0..<columns {
                append(DatabaseValue(sqliteStatement: statement.sqliteStatement, index: column))
            }
            guard bytes.count - prefix > 1 << 20 else { continue }
            let digest = value
            bytes.removeAll(keepingCapacity: true)
            bytes.append(contentsOf: digest.utf8)
            prefix = bytes.count
        }
    }

    /// SHA-256, as hexadecimal digits.
    var value: String { Digest.sha256(of: bytes) }

    /// So that different values, also one after the other, give different bytes.
    private mutating func append(_ value: DatabaseValue) {
        switch value.storage {
        case .null: bytes.append(0)
        case .int64(let value): append(1, UInt64(bitPattern: value))
        case .double(let value): append(2, value.bitPattern)
        case .string(let text):
            append(3, UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        case .blob(let data):
            append(4, UInt64(data.count))
            bytes.append(contentsOf: data)
        }
    }

    private mutating func append(_ kind: UInt8, _ bits: UInt64) {
        bytes.append(kind)
        withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
