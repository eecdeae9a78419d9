/// Reads opcodes and their arguments, never beyond the end.
struct OpcodeReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    /// Offset of the opcode that was read last, in bytes.
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, from position: Int) {
        self.bytes = bytes
        self.position = position
        offset = position
    }

    mutating func opcode() throws -> Opcode {
        offset = position
        guard let opcode = Opcode(rawValue: try byte()) else {
            throw PickleError.unknownOpcode(bytes[offset], offset: offset)
        }
        return opcode
    }

    mutating func byte() throws -> UInt8 {
        guard position < bytes.count else { throw PickleError.truncated(offset: offset) }
        defer { position += 1 }
        return bytes[position]
    }

    /// A little-endian number.
    mutating func number<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        guard bytes.count - position >= MemoryLayout<Value>.size else {
            throw PickleError.truncated(offset: offset)
        }
        defer { position += MemoryLayout<Value>.size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
    }

    mutating func take(_ count: some BinaryInteger) throws -> UnsafeRawBufferPointer {
        guard let count = Int(exactly: count), count >= 0, count <= bytes.count - position else {
            throw PickleError.beyondEnd(
                bytes: UInt64(clamping: count), available: bytes.count - position, offset: offset)
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// The bytes up to a newline, which is passed over.
    mutating func line() throws -> UnsafeRawBufferPointer {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            throw PickleError.truncated(offset: offset)
        }
        defer { position = end + 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }
}

/// The opcodes of pickle, protocols 0 to 5, under the names that Python's `pickletools` gives them.
///
/// Source: CPython, the module `pickletools`.
enum Opcode: UInt8 {
    case mark = 0x28  // (
    case stop = 0x2E  // .
    case pop = 0x30  // 0
    case popMark = 0x31  // 1
    case dup = 0x32  // 2
    case float = 0x46  // F
    case int = 0x49  // I
    case binInt = 0x4A  // J
    case binInt1 = 0x4B  // K
    case long = 0x4C  // L
    case binInt2 = 0x4D  // M
    case none = 0x4E  // N
    case persID = 0x50  // P
    case binPersID = 0x51  // Q
    case reduce = 0x52  // R
    case string = 0x53  // S
    case binString = 0x54  // T
    case shortBinString = 0x55  // U
    case unicode = 0x56  // V
    case binUnicode = 0x58  // X
    case append = 0x61  // a
    case build = 0x62  // b
    case global = 0x63  // c
    case dict = 0x64  // d
    case emptyDict = 0x7D  // }
    case appends = 0x65  // e
    case get = 0x67  // g
    case binGet = 0x68  // h
    case inst = 0x69  // i
    case longBinGet = 0x6A  // j
    case list = 0x6C  // l
    case emptyList = 0x5D  // ]
    case obj = 0x6F  // o
    case put = 0x70  // p
    case binPut = 0x71  // q
    case longBinPut = 0x72  // r
    case setItem = 0x73  // s
    case tuple = 0x74  // t
    case emptyTuple = 0x29  // )
    case setItems = 0x75  // u
    case binFloat = 0x47  // G
    case proto = 0x80
    case newObj = 0x81
    case ext1 = 0x82
    case ext2 = 0x83
    case ext4 = 0x84
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case newTrue = 0x88
    case newFalse = 0x89
    case long1 = 0x8A
    case long4 = 0x8B
    case binBytes = 0x42  // B
    case shortBinBytes = 0x43  // C
    case shortBinUnicode = 0x8C
    case binUnicode8 = 0x8D
    case binBytes8 = 0x8E
    case emptySet = 0x8F
    case addItems = 0x90
    case frozenSet = 0x91
    case newObjEx = 0x92
    case stackGlobal = 0x93
    case memoize = 0x94
    case frame = 0x95
    case byteArray8 = 0x96
    case nextBuffer = 0x97
    case readOnlyBuffer = 0x98

    /// As pickletools has it, such as `STACK_GLOBAL`.
    var name: String {
        switch self {
        case .mark: "MARK"
        case .stop: "STOP"
        case .pop: "POP"
        case .popMark: "POP_MARK"
        case .dup: "DUP"
        case .float: "FLOAT"
        case .int: "INT"
        case .binInt: "BININT"
        case .binInt1: "BININT1"
        case .long: "LONG"
        case .binInt2: "BININT2"
        case .none: "NONE"
        case .persID: "PERSID"
        case .binPersID: "BINPERSID"
        case .reduce: "REDUCE"
        case .string: "STRING"
        case .binString: "BINSTRING"
        case .shortBinString: "SHORT_BINSTRING"
        case .unicode: "UNICODE"
        case .binUnicode: "BINUNICODE"
        case .append: "APPEND"
        case .build: "BUILD"
        case .global: "GLOBAL"
        case .dict: "DICT"
        case .emptyDict: "EMPTY_DICT"
        case .appends: "APPENDS"
        case .get: "GET"
        case .binGet: "BINGET"
        case .inst: "INST"
        case .longBinGet: "LONG_BINGET"
        case .list: "LIST"
        case .emptyList: "EMPTY_LIST"
        case .obj: "OBJ"
        case .put: "PUT"
        case .binPut: "BINPUT"
        case .longBinPut: "LONG_BINPUT"
        case .setItem: "SETITEM"
        case .tuple: "TUPLE"
        case .emptyTuple: "EMPTY_TUPLE"
        case .setItems: "SETITEMS"
        case .binFloat: "BINFLOAT"
        case .proto: "PROTO"
        case .newObj: "NEWOBJ"
        case .ext1: "EXT1"
        case .ext2: "EXT2"
        case .ext4: "EXT4"
        case .tuple1: "TUPLE1"
        case .tuple2: "TUPLE2"
        case .tuple3: "TUPLE3"
        case .newTrue: "NEWTRUE"
        case .newFalse: "NEWFALSE"
        case .long1: "LONG1"
        case .long4: "LONG4"
        case .binBytes: "BINBYTES"
        case .shortBinBytes: "SHORT_BINBYTES"
        case .shortBinUnicode: "SHORT_BINUNICODE"
        case .binUnicode8: "BINUNICODE8"
        case .binBytes8: "BINBYTES8"
        case .emptySet: "EMPTY_SET"
        case .addItems: "ADDITEMS"
        case .frozenSet: "FROZENSET"
        case .newObjEx: "NEWOBJ_EX"
        case .stackGlobal: "STACK_GLOBAL"
        case .memoize: "MEMOIZE"
        case .frame: "FRAME"
        case .byteArray8: "BYTEARRAY8"
        case .nextBuffer: "NEXT_BUFFER"
        case .readOnlyBuffer: "READONLY_BUFFER"
        }
    }
}

/// The arguments that protocol 0 writes as text.
enum TextArgument {
    /// A number of INT: decimal, or `00` and `01` for the truth values.
    static func node(int line: UnsafeRawBufferPointer) -> PickleNode? {
        let text = String(decoding: line, as: UTF8.self)
        switch text {
        case "00": return .bool(false)
        case "01": return .bool(true)
        default: return Int(text).map(PickleNode.int)
        }
    }

    /// A number of LONG: decimal, with an `L` at the end as a rule.
    static func node(long line: UnsafeRawBufferPointer) -> PickleNode? {
        let text = String(decoding: line, as: UTF8.self)
        return Int(text.hasSuffix("L") ? String(text.dropLast()) : text).map(PickleNode.int)
    }

    /// A number of LONG1 and LONG4: two's complement, little-endian, of any length.
    static func node(littleEndian bytes: UnsafeRawBufferPointer) -> PickleNode {
        guard bytes.count <= 8 else { return .largeInt(Array(bytes)) }
        var value: UInt64 = bytes.last.map { $0 & 0x80 != 0 ? .max : 0 } ?? 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        return .int(Int(Int64(bitPattern: value)))
    }

    /// The bytes of STRING: a string of Python 2 as its `repr` has it.
    static func bytes(string line: UnsafeRawBufferPointer) -> [UInt8]? {
        guard line.count >= 2, let quote = line.first, line.last == quote,
            quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
        else { return nil }
        let quoted = Array(line.dropFirst().dropLast())
        var bytes: [UInt8] = []
        var position = 0
        while position < quoted.count {
            guard quoted[position] == UInt8(ascii: "\\") else {
                bytes.append(quoted[position])
                position += 1
                continue
            }
            guard position + 1 < quoted.count else { return nil }
            let escape = quoted[position + 1]
            position += 2
            switch escape {
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "x"):
                guard let value = hexadecimal(quoted, position, digits: 2) else { return nil }
                bytes.append(UInt8(value))
                position += 2
            default: return nil
            }
        }
        return bytes
    }

    /// The text of UNICODE: Latin-1 bytes, with `\uXXXX` and `\UXXXXXXXX` for all else.
    static func text(unicode line: UnsafeRawBufferPointer) -> String? {
        let bytes = Array(line)
        var text = String.UnicodeScalarView()
        var position = 0
        while position < bytes.count {
            var value = UInt32(bytes[position])
            position += 1
            if value == UInt32(UInt8(ascii: "\\")), position < bytes.count,
                let digits = [UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8][bytes[position]]
            {
                guard let escaped = hexadecimal(bytes, position + 1, digits: digits) else { return nil }
                value = escaped
                position += 1 + digits
            }
            guard let scalar = Unicode.Scalar(value) else { return nil }
            text.append(scalar)
        }
        return String(text)
    }

    private static func hexadecimal(_ bytes: [UInt8], _ start: Int, digits: Int) -> UInt32? {
        guard start + digits <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[start..<start + digits] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
