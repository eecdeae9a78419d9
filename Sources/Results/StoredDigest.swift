import Foundation
import Foundations
import GRDB
import Pipeline

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
