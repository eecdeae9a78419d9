/// Reads pickles without carrying anything out.
///
/// The stack, the memo and the values refer to values by number; every opcode makes one value at most,
/// so that memory stays within a small multiple of the pickle's bytes and depth costs no stack frames.
public struct Unpickler {
    private var reader: OpcodeReader
    private let vocabulary: PickleVocabulary
    private let limits: PickleLimits
    private var nodes: [PickleNode] = []
    private var stack: [Int32] = []
    /// Heights of the stack where MARKs stand.
    private var marks: [Int] = []
    private var memo: [Int: Int32] = [:]
    private var opcode = Opcode.stop

    /// Reads one pickle that begins at `offset` of `bytes`.
    /// - Returns: its value, and the offset of the first byte behind it.
    /// - Throws: `PickleError`.
    public static func read(
        _ bytes: [UInt8], from offset: Int = 0, vocabulary: PickleVocabulary, limits: PickleLimits = .standard
    ) throws -> (value: PickleValue, end: Int) {
        precondition(offset >= 0 && offset <= bytes.count)
        guard bytes.count - offset <= limits.bytes else {
            throw PickleError.tooManyBytes(bytes.count - offset, limit: limits.bytes)
        }
        return try bytes.withUnsafeBytes { bytes in
            var unpickler = Unpickler(
                reader: OpcodeReader(bytes, from: offset), vocabulary: vocabulary, limits: limits)
            let number = try unpickler.run()
            return (PickleValue(store: PickleStore(unpickler.nodes), number: number), unpickler.reader.position)
        }
    }

    private init(reader: OpcodeReader, vocabulary: PickleVocabulary, limits: PickleLimits) {
        self.reader = reader
        self.vocabulary = vocabulary
        self.limits = limits
    }

    private mutating func run() throws -> Int32 {
        while true {
            opcode = try reader.opcode()
            if opcode == .stop { return try pop() }
            try step()
        }
    }

    // MARK: Opcodes

    private mutating func step() throws {
        switch opcode {
        case .stop: break
        case .proto:
            let version = try reader.byte()
            guard version <= 5 else { throw PickleError.unsupportedProtocol(Int(version), offset: reader.offset) }
        case .frame: _ = try reader.number(UInt64.self)

        case .inst, .obj, .ext1, .ext2, .ext4, .newObjEx, .nextBuffer, .readOnlyBuffer:
            throw PickleError.refusedOpcode(opcode.name, offset: reader.offset)

        case .none: try push(.none)
        case .newTrue: try push(.bool(true))
        case .newFalse: try push(.bool(false))
        case .binInt: try push(.int(Int(reader.number(Int32.self))))
        case .binInt1: try push(.int(Int(reader.byte())))
        case .binInt2: try push(.int(Int(reader.number(UInt16.self))))
        case .long1: try push(TextArgument.node(littleEndian: reader.take(reader.byte())))
        case .long4: try push(TextArgument.node(littleEndian: reader.take(reader.number(Int32.self))))
        case .binFloat: try push(.float(Double(bitPattern: UInt64(bigEndian: reader.number(UInt64.self)))))
        case .int: try push(wellFormed(TextArgument.node(int: reader.line())))
        case .long: try push(wellFormed(TextArgument.node(long: reader.line())))
        case .float: try push(.float(wellFormed(Double(String(decoding: reader.line(), as: UTF8.self)))))

        case .string: try push(.bytes(wellFormed(TextArgument.bytes(string: reader.line()))))
        case .binString: try push(.bytes(Array(reader.take(reader.number(Int32.self)))))
        case .shortBinString, .shortBinBytes: try push(.bytes(Array(reader.take(reader.byte()))))
        case .binBytes: try push(.bytes(Array(reader.take(reader.number(UInt32.self)))))
        case .binBytes8, .byteArray8: try push(.bytes(Array(reader.take(reader.number(UInt64.self)))))
        case .unicode: try push(.string(wellFormed(TextArgument.text(unicode: reader.line()))))
        case .shortBinUnicode: try pushText(of: reader.byte())
        case .binUnicode: try pushText(of: reader.number(UInt32.self))
        case .binUnicode8: try pushText(of: reader.number(UInt64.self))

        case .mark:
            try checkRoom(marks.count)
            marks.append(stack.count)
        case .pop:
            // A MARK on top of the stack is popped like a value.
            if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
        case .popMark: _ = try popToMark()
        case .dup: try pushNumber(top())

        case .emptyList: try push(.list([]))
        case .emptyTuple: try push(.tuple([]))
        case .emptyDict: try push(.dictionary([]))
        case .emptySet: try push(.set([]))
        case .list: try push(.list(popToMark()))
        case .tuple: try push(.tuple(popToMark()))
        case .frozenSet: try push(.set(popToMark()))
        case .dict: try push(.dictionary(even(popToMark())))
        case .tuple1: try push(.tuple(pop(1)))
        case .tuple2: try push(.tuple(pop(2)))
        case .tuple3: try push(.tuple(pop(3)))
        case .append: try extend(by: pop(1))
        case .appends: try extend(by: popToMark())
        case .addItems: try addToSet(popToMark())
        case .setItem: try set(pop(2))
        case .setItems: try set(even(popToMark()))

        case .get: try recall(wellFormed(Int(String(decoding: reader.line(), as: UTF8.self))))
        case .binGet: try recall(Int(reader.byte()))
        case .longBinGet: try recall(Int(reader.number(UInt32.self)))
        case .put: try memorise(wellFormed(Int(String(decoding: reader.line(), as: UTF8.self))))
        case .binPut: try memorise(Int(reader.byte()))
        case .longBinPut: try memorise(Int(reader.number(UInt32.self)))
        case .memoize: try memorise(memo.count)

        case .global:
            let module = try text(reader.line())
            try pushGlobal(PickleGlobal(module, text(reader.line())))
        case .stackGlobal:
            let parts = try pop(2)
            guard case .string(let module) = nodes[Int(parts[0])], case .string(let name) = nodes[Int(parts[1])]
            else { throw unsuitable }
            try pushGlobal(PickleGlobal(module, name))
        case .reduce, .newObj: try call()
        case .build: try build()
        case .persID: try push(.persistent(makeNode(.string(text(reader.line())))))
        case .binPersID: try push(.persistent(pop()))
        }
    }

    // MARK: Globals and calls

    private mutating func pushGlobal(_ global: PickleGlobal) throws {
        guard vocabulary.names.contains(global) || vocabulary.letsCall(global) else {
            throw PickleError.refusedGlobal(global, offset: reader.offset)
        }
        try push(.global(global))
    }

    private mutating func call() throws {
        let parts = try pop(2)
        guard case .global(let callable) = nodes[Int(parts[0])] else { throw refusedCall(nil) }
        guard vocabulary.letsCall(callable) else { throw refusedCall(callable) }
        guard case .tuple = nodes[Int(parts[1])] else { throw unsuitable }
        try push(.object(.init(callable: callable, arguments: parts[1])))
    }

    private mutating func build() throws {
        let state = try pop()
        let target = Int(try top())
        guard case .object(var object) = nodes[target], object.state == nil else { throw refusedCall(nil) }
        object.state = state
        nodes[target] = .object(object)
    }

    private func refusedCall(_ target: PickleGlobal?) -> PickleError {
        .refusedCall(opcode: opcode.name, target: target, offset: reader.offset)
    }

    // MARK: Containers

    // A container is taken out of its node while it grows: otherwise each change would copy it.

    private mutating func extend(by items: [Int32]) throws {
        let target = Int(try top())
        switch nodes[target] {
        case .list(var list):
            nodes[target] = .none
            list += items
            nodes[target] = .list(list)
        case .object(var object):
            nodes[target] = .none
            object.items += items
            nodes[target] = .object(object)
        default: throw unsuitable
        }
    }

    private mutating func addToSet(_ items: [Int32]) throws {
        let target = Int(try top())
        guard case .set(var set) = nodes[target] else { throw unsuitable }
        nodes[target] = .none
        set += items
        nodes[target] = .set(set)
    }

    private mutating func set(_ items: [Int32]) throws {
        let target = Int(try top())
        switch nodes[target] {
        case .dictionary(var pairs):
            nodes[target] = .none
            pairs += items
            nodes[target] = .dictionary(pairs)
        case .object(var object):
            nodes[target] = .none
            object.pairs += items
            nodes[target] = .object(object)
        default: throw unsuitable
        }
    }

    private func even(_ items: [Int32]) throws -> [Int32] {
        guard items.count.isMultiple(of: 2) else { throw unsuitable }
        return items
    }

    // MARK: Stack and memo

    private mutating func push(_ node: PickleNode) throws {
        try pushNumber(makeNode(node))
    }

    private mutating func pushNumber(_ number: Int32) throws {
        try checkRoom(stack.count)
        stack.append(number)
    }

    private mutating func makeNode(_ node: PickleNode) throws -> Int32 {
        try checkRoom(nodes.count)
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    private func checkRoom(_ count: Int) throws {
        guard count < min(limits.values, Int(Int32.max)) else {
            throw PickleError.tooManyValues(limit: limits.values, offset: reader.offset)
        }
    }

    private func top() throws -> Int32 {
        guard let top = stack.last, stack.count > marks.last ?? 0 else { throw underflow }
        return top
    }

    private mutating func pop() throws -> Int32 {
        let number = try top()
        stack.removeLast()
        return number
    }

    private mutating func pop(_ count: Int) throws -> [Int32] {
        guard stack.count - (marks.last ?? 0) >= count else { throw underflow }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws -> [Int32] {
        guard let mark = marks.popLast() else {
            throw PickleError.missingMark(opcode: opcode.name, offset: reader.offset)
        }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func memorise(_ key: Int) throws {
        guard key >= 0 else { throw malformed }
        try checkRoom(memo.count)
        memo[key] = try top()
    }

    private mutating func recall(_ key: Int) throws {
        guard let number = memo[key] else { throw PickleError.missingMemo(key: key, offset: reader.offset) }
        try pushNumber(number)
    }

    // MARK: Arguments

    private mutating func pushText(of length: some BinaryInteger) throws {
        try push(.string(text(reader.take(length))))
    }

    private func text(_ bytes: UnsafeRawBufferPointer) throws -> String {
        try wellFormed(String(validating: bytes, as: UTF8.self))
    }

    private func wellFormed<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw malformed }
        return value
    }

    private var malformed: PickleError { .malformedValue(opcode: opcode.name, offset: reader.offset) }
    private var unsuitable: PickleError { .unsuitableValue(opcode: opcode.name, offset: reader.offset) }
    private var underflow: PickleError { .stackUnderflow(opcode: opcode.name, offset: reader.offset) }
}

extension PickleVocabulary {
    func letsCall(_ global: PickleGlobal) -> Bool {
        callables.contains(global)
            || recordModules.contains { global.module == $0 || global.module.hasPrefix($0 + ".") }
    }
}
