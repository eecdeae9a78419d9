import Foundations

/// Reads elements one after the other. Every count is compared with the bytes that are there.
struct MATLAB5Scanner {
    static let headerBytes = 128
    private static let depthLimit = 32

    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private let isBigEndian: Bool
    private let path: String
    /// What the bytes are part of, where they are not those of the file.
    private let within: String
    private let limit: Int

    /// Types of elements.
    private enum Kind: UInt32 {
        case int8 = 1, uint8, int16, uint16, int32, uint32, single
        case double = 9
        case int64 = 12, uint64, matrix, compressed, utf8, utf16, utf32

        /// Bytes of a number; nil for what is none.
        var width: Int? {
            switch self {
            case .int8, .uint8, .utf8: 1
            case .int16, .uint16, .utf16: 2
            case .int32, .uint32, .single, .utf32: 4
            case .double, .int64, .uint64: 8
            case .matrix, .compressed: nil
            }
        }
    }

    private struct Element {
        var kind: Kind
        var data: ArraySlice<UInt8>
    }

    init(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool, path: String, within: String, limit: Int) {
        self.bytes = bytes
        position = bytes.startIndex
        (self.isBigEndian, self.path, self.within, self.limit) = (isBigEndian, path, within, limit)
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    private func failure(_ expected: String, at place: Int? = nil) -> InputError {
        .malformedFile(path: path, place: "\(within)byte \(place ?? position)", expected: expected)
    }

    // MARK: Elements

    /// A variable with its name; nil for one that is not wanted.
    mutating func variable(wanted: Set<String>) throws -> (String, MATLABValue)? {
        let start = position
        let element = try element()
        switch element.kind {
        case .compressed:
            let inflated: [UInt8]
            do {
                inflated = try Inflation.zlib(element.data, limit: limit)
            } catch .tooLarge(let limit) {
                throw DataSetError.tooLarge(path: path, place: "\(within)byte \(start)", bytes: limit + 1, limit: limit)
            } catch {
                throw failure("a whole zlib stream", at: start)
            }
            var scanner = MATLAB5Scanner(
                inflated[...], isBigEndian: isBigEndian, path: path, within: "in the stream at byte \(start), ",
                limit: limit)
            let inner = try scanner.element()
            guard inner.kind == .matrix else { throw scanner.failure("a matrix", at: 0) }
            var matrix = scanner.part(inner.data)
            return try matrix.matrix(wanted: wanted, depth: 0)
        case .matrix:
            var matrix = part(element.data)
            return try matrix.matrix(wanted: wanted, depth: 0)
        default:
            throw failure("a matrix or a compressed one", at: start)
        }
    }

    private func part(_ data: ArraySlice<UInt8>) -> MATLAB5Scanner {
        MATLAB5Scanner(data, isBigEndian: isBigEndian, path: path, within: within, limit: limit)
    }

    private mutating func element() throws -> Element {
        let start = position
        guard bytes.endIndex - position >= 8 else { throw failure("the tag of an element, eight bytes") }
        let first = UInt32(truncatingIfNeeded: integer(at: position, width: 4))
        // Up to four bytes of data stand in the tag itself, whose upper half is then their number.
        if first >> 16 != 0 {
            let size = Int(first >> 16)
            guard size <= 4, let kind = Kind(rawValue: first & 0xFFFF) else {
                throw failure("a small element", at: start)
            }
            position += 8
            return Element(kind: kind, data: bytes[start + 4..<start + 4 + size])
        }
        guard let kind = Kind(rawValue: first) else { throw failure("the type of an element, not \(first)", at: start) }
        let size = Int(UInt32(truncatingIfNeeded: integer(at: position + 4, width: 4)))
        let data = position + 8
        guard size <= bytes.endIndex - data else {
            throw failure("\(size) bytes of data, here are \(bytes.endIndex - data)", at: start)
        }
        // Compressed elements are not padded; the last element of some writers is not either.
        let padded = kind == .compressed ? size : (size + 7) / 8 * 8
        position = min(data + padded, bytes.endIndex)
        return Element(kind: kind, data: bytes[data..<data + size])
    }

    private mutating func numbers(_ what: String) throws -> [Double] {
        let start = position
        let element = try element()
        guard let width = element.kind.width, element.data.count % width == 0 else { throw failure(what, at: start) }
        return stride(from: element.data.startIndex, to: element.data.endIndex, by: width).map { place in
            let bits = integer(at: place, width: width)
            return switch element.kind {
            case .int8: Double(Int8(truncatingIfNeeded: bits))
            case .int16: Double(Int16(truncatingIfNeeded: bits))
            case .int32: Double(Int32(truncatingIfNeeded: bits))
            case .int64: Double(Int64(truncatingIfNeeded: bits))
            case .single: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
            case .double: Double(bitPattern: bits)
            default: Double(bits)
            }
        }
    }

    private func integer(at place: Int, width: Int) -> UInt64 {
        let range = bytes[place..<place + width]
        return isBigEndian
            ? range.reduce(0) { $0 << 8 | UInt64($1) } : range.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: Matrices

    /// Classes of arrays.
    private enum ArrayClass {
        static let (cell, structure, characters): (UInt8, UInt8, UInt8) = (1, 2, 4)
        static let numbers: ClosedRange<UInt8> = 6...15
        static let complexFlag: UInt8 = 0x08
    }

    /// The array whose subelements these bytes are.
    private mutating func matrix(wanted: Set<String>?, depth: Int) throws -> (String, MATLABValue)? {
        guard depth < Self.depthLimit else { throw failure("values in no more than \(Self.depthLimit) others") }
        // An element of no bytes is an empty array.
        if isAtEnd { return ("", .numbers(MATLABArray(dimensions: [0, 0], values: []))) }
        let start = position
        let flags = try element()
        guard flags.kind == .uint32, flags.data.count == 8 else { throw failure("an array's flags", at: start) }
        let word = UInt32(truncatingIfNeeded: integer(at: flags.data.startIndex, width: 4))
        let kind = UInt8(truncatingIfNeeded: word)
        let isComplex = UInt8(truncatingIfNeeded: word >> 8) & ArrayClass.complexFlag != 0
        let known =
            [ArrayClass.cell, ArrayClass.structure, ArrayClass.characters].contains(kind)
            || ArrayClass.numbers.contains(kind)
        // Objects have other parts.
        guard known else { return ("", .other(kind)) }
        let (dimensions, count) = try dimensions()
        let name = try string("an array's name")
        if let wanted, !wanted.contains(name) { return nil }
        let value: MATLABValue =
            switch kind {
            case _ where isComplex: .other(kind)
            case ArrayClass.cell: .cells(try values(count, depth: depth))
            case ArrayClass.structure: try structures(count, depth: depth)
            case ArrayClass.characters: .text(try characters(count))
            default: .numbers(MATLABArray(dimensions: dimensions, values: try numbers(count: count)))
            }
        return (name, value)
    }

    private mutating func dimensions() throws -> ([Int], Int) {
        let start = position
        let dimensions = try numbers("an array's dimensions").map { Int(exactly: $0) ?? -1 }
        guard dimensions.count >= 2, dimensions.allSatisfy({ $0 >= 0 }) else {
            throw failure("two or more dimensions", at: start)
        }
        var count = 1
        for dimension in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw failure("an array that has room in memory", at: start) }
            count = product
        }
        return (dimensions, count)
    }

    private mutating func numbers(count: Int) throws -> [Double] {
        let start = position
        let numbers = try numbers("an array's numbers")
        guard numbers.count == count else { throw failure("\(count) numbers, here are \(numbers.count)", at: start) }
        return numbers
    }

    private mutating func string(_ what: String) throws -> String {
        let start = position
        let element = try element()
        guard element.kind.width == 1, let text = String(validating: element.data, as: UTF8.self) else {
            throw failure(what, at: start)
        }
        return text
    }

    private mutating func characters(_ count: Int) throws -> String {
        // MATLAB leaves the data of an empty text out.
        if count == 0 { return "" }
        let start = position
        var ahead = self
        let element = try ahead.element()
        let text: String?
        switch element.kind {
        case .utf8:
            text = String(validating: element.data, as: UTF8.self)
        case .uint8, .int8:
            // Characters of one byte are those of Latin-1.
            text = String(String.UnicodeScalarView(element.data.map { Unicode.Scalar($0) }))
        case .uint16, .utf16:
            text = String(validating: try numbers("characters").map { UInt16($0) }, as: UTF16.self)
        default:
            text = nil
        }
        guard let text else { throw failure("characters", at: start) }
        position = ahead.position
        return text
    }

    /// Arrays without names of their own: those of a cell, or of the fields of structures.
    private mutating func values(_ count: Int, depth: Int) throws -> [MATLABValue] {
        // Each has a tag of eight bytes at least.
        guard count <= (bytes.endIndex - position) / 8 else {
            throw failure("\(count) values, here are \(bytes.endIndex - position) bytes")
        }
        var values: [MATLABValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count {
            let start = position
            let element = try element()
            guard element.kind == .matrix else { throw failure("a matrix", at: start) }
            var inner = part(element.data)
            values.append(try inner.matrix(wanted: nil, depth: depth + 1)?.1 ?? .other(0))
        }
        return values
    }

    private mutating func structures(_ count: Int, depth: Int) throws -> MATLABValue {
        let start = position
        let lengths = try numbers("the length of field names")
        guard lengths.count == 1, let length = Int(exactly: lengths[0]), length > 0 else {
            throw failure("the length of field names", at: start)
        }
        let names = try element()
        guard names.kind.width == 1, names.data.count % length == 0 else {
            throw failure("field names of \(length) bytes", at: start)
        }
        let fields = stride(from: names.data.startIndex, to: names.data.endIndex, by: length).map {
            String(decoding: names.data[$0..<$0 + length].prefix { $0 != 0 }, as: UTF8.self)
        }
        // Structures without fields take no bytes, however many there are.
        if fields.isEmpty { return .structures([]) }
        let (total, overflow) = count.multipliedReportingOverflow(by: fields.count)
        guard !overflow else { throw failure("structures that have room in memory", at: start) }
        let values = try values(total, depth: depth)
        return .structures(
            (0..<count).map { index in
                Dictionary(
                    zip(fields, values[index * fields.count..<(index + 1) * fields.count]),
                    uniquingKeysWith: { first, _ in first })
            })
    }
}

/// The variables of a MAT-file of level 5, which MATLAB writes for versions 5 to 7.
///
/// Format: MathWorks, "MAT-File Format" (R2023a), sections "Level 5 MAT-File Format". A header of 128
/// bytes, then elements of a type, a size and data, padded to eight bytes; matrices are elements of
/// elements; a variable may be a zlib stream of its element.
struct MATLAB5File {
    let variables: [String: MATLABValue]

    /// - Parameters:
    ///   - path: for errors.
    ///   - wanted: the variables that are read; others are passed over.
    ///   - limit: of the decompressed bytes of one variable.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)`` with the byte where the fault lies.
    init(_ bytes: [UInt8], path: String, wanted: Set<String>, limit: Int) throws {
        guard bytes.count >= MATLAB5Scanner.headerBytes else {
            throw InputError.malformedFile(
                path: path, place: "byte \(bytes.count)", expected: "a MAT-file's header of 128 bytes")
        }
        let isBigEndian: Bool
        switch (bytes[126], bytes[127]) {
        case (UInt8(ascii: "I"), UInt8(ascii: "M")): isBigEndian = false
        case (UInt8(ascii: "M"), UInt8(ascii: "I")): isBigEndian = true
        default:
            throw InputError.malformedFile(
                path: path, place: "byte 126", expected: "the mark 'IM' or 'MI' of a MAT-file of level 5")
        }
        guard bytes[isBigEndian ? 124 : 125] == 1 else {
            throw InputError.malformedFile(
                path: path, place: "byte 124", expected: "version 1 of a MAT-file of level 5")
        }
        var scanner = MATLAB5Scanner(
            bytes[MATLAB5Scanner.headerBytes...], isBigEndian: isBigEndian, path: path, within: "", limit: limit)
        var variables: [String: MATLABValue] = [:]
        while !scanner.isAtEnd {
            if let (name, value) = try scanner.variable(wanted: wanted) { variables[name] = value }
        }
        self.variables = variables
    }
}
