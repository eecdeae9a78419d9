/// What the extended header of a pax archive says that concerns a reader of names and bytes.
struct PaxRecords {
    static let sizeLimit = 1 << 20

    var path: [UInt8]?
    var size: Int?

    /// Reads records `length key=value newline`, where the length counts the whole record.
    /// - Throws: `ArchiveDefect`.
    init(_ bytes: [UInt8]) throws(ArchiveDefect) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != UInt8(ascii: " ") }
            guard digits.count <= 7, let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 1, length <= rest.count
            else { throw .badRecord("pax length") }
            let record = rest.prefix(length)
            guard record.last == UInt8(ascii: "\n"), let equals = record.firstIndex(of: UInt8(ascii: "="))
            else { throw .badRecord("pax record") }
            let start = record.startIndex + digits.count + 1
            guard start <= equals else { throw .badRecord("pax record") }
            try take(
                key: String(decoding: record[start..<equals], as: UTF8.self), value: record[(equals + 1)...].dropLast())
            rest = rest.dropFirst(length)
        }
    }

    private mutating func take(key: String, value: ArraySlice<UInt8>) throws(ArchiveDefect) {
        switch key {
        case "path": path = Array(value)
        case "size":
            guard value.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(String(decoding: value, as: UTF8.self))
            else { throw .badNumber(field: "pax size") }
            size = number
        default:
            if key.hasPrefix("GNU.sparse.") { throw .sparseFile }
        }
    }
}
