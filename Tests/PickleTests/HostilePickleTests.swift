import Foundations
import Testing

@testable import Pickle

@Suite struct HostilePickleTests {
    @Test(arguments: [
        ("evil-reduce", PickleError.refusedGlobal(PickleGlobal("os", "system"), offset: 0)),
        ("evil-stack-global", .refusedGlobal(PickleGlobal("posix", "system"), offset: 17)),
        ("evil-inst", .refusedOpcode("INST", offset: 9)),
        ("evil-obj", .refusedGlobal(PickleGlobal("os", "system"), offset: 1)),
        ("evil-newobj-ex", .refusedOpcode("NEWOBJ_EX", offset: 29)),
        ("evil-ext1", .refusedOpcode("EXT1", offset: 2)), ("evil-ext2", .refusedOpcode("EXT2", offset: 2)),
        ("evil-ext4", .refusedOpcode("EXT4", offset: 2)), ("evil-buffer", .refusedOpcode("NEXT_BUFFER", offset: 2)),
        ("evil-builtin", .refusedGlobal(PickleGlobal("__builtin__", "eval"), offset: 0)),
        ("evil-dotted", .refusedGlobal(PickleGlobal("collections", "OrderedDict.__init__.__call__"), offset: 46)),
        ("evil-reduce-name", .refusedCall(opcode: "REDUCE", target: PickleGlobal("numpy", "ndarray"), offset: 17)),
        ("evil-reduce-value", .refusedCall(opcode: "REDUCE", target: nil, offset: 7)),
        ("evil-build", .refusedCall(opcode: "BUILD", target: nil, offset: 4)),
    ])
    func callsAreRefusedByName(name: String, error: PickleError) throws {
        #expect(throws: error) { try Samples.read(Samples.bytes(name + ".pkl")) }
    }

    @Test(arguments: [
        ("", PickleError.truncated(offset: 0)), ("I1", .truncated(offset: 0)), ("I1\n", .truncated(offset: 3)),
        (".", .stackUnderflow(opcode: "STOP", offset: 0)), ("t.", .missingMark(opcode: "TUPLE", offset: 0)),
        ("I1\n(.", .stackUnderflow(opcode: "STOP", offset: 4)), ("g7\n.", .missingMemo(key: 7, offset: 0)),
        ("I1\nI2\na.", .unsuitableValue(opcode: "APPEND", offset: 6)),
        ("(I1\nd.", .unsuitableValue(opcode: "DICT", offset: 4)), ("Ix\n.", .malformedValue(opcode: "INT", offset: 0)),
        ("S'a\n.", .malformedValue(opcode: "STRING", offset: 0)),
        ("S'\\q'\n.", .malformedValue(opcode: "STRING", offset: 0)),
        ("V\\uD800\n.", .malformedValue(opcode: "UNICODE", offset: 0)),
        ("I1\np-1\n.", .malformedValue(opcode: "PUT", offset: 3)),
        ("\u{80}\u{06}N.", .unsupportedProtocol(6, offset: 0)), ("?", .unknownOpcode(0x3F, offset: 0)),
        ("U\u{05}abc", .beyondEnd(bytes: 5, available: 3, offset: 0)),
        ("X\u{FF}\u{FF}\u{FF}\u{7F}abc", .beyondEnd(bytes: 0x7FFF_FFFF, available: 3, offset: 0)),
        ("\u{8D}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}a", .beyondEnd(bytes: .max, available: 1, offset: 0)),
        ("T\u{FF}\u{FF}\u{FF}\u{FF}a", .beyondEnd(bytes: 0, available: 1, offset: 0)),
        ("U\u{01}\u{FF}I1\n\u{93}.", .unsuitableValue(opcode: "STACK_GLOBAL", offset: 6)),
        ("X\u{01}\u{00}\u{00}\u{00}\u{FF}.", .malformedValue(opcode: "BINUNICODE", offset: 0)),
    ])
    func brokenPicklesAreNamed(pickle: String, error: PickleError) {
        #expect(throws: error) { try Samples.read(pickle.unicodeScalars.map { UInt8($0.value) }) }
    }

    /// Shared references that spell out 2^60 paths stay references.
    @Test(.timeLimit(.minutes(1))) func memoBombsStaySmall() throws {
        var value = try Samples.read(Samples.bytes("memo-bomb.pkl"))
        for _ in 0..<60 {
            let elements = try #require(value.elements)
            #expect(elements.count == 2 && elements[0].identity == elements[1].identity)
            value = elements[0]
        }
        #expect(value.elements?.isEmpty == true)
    }

    /// Depth costs no stack, neither when a pickle is read nor when it is let go. All containers are
    /// opened first, and then each is put into the one before it.
    @Test(.timeLimit(.minutes(1)), arguments: [("]", "N", "a"), ("}I1\n", "N", "s"), ("(", "", "t")])
    func deepNestingTakesNoStack(opening: String, innermost: String, closing: String) throws {
        let depth = 1_000_000
        let pickle =
            String(repeating: opening, count: depth) + innermost + String(repeating: closing, count: depth) + "."
        var value = try Samples.read(Array(pickle.utf8))
        var levels = 0
        while let inner = value.elements?.first ?? value.pairs?.first?.value {
            value = inner
            levels += 1
        }
        #expect(levels == depth - (innermost.isEmpty ? 1 : 0))
    }

    @Test func aListMayHoldItself() throws {
        let value = try Samples.read(Array("(lp0\ng0\na.".utf8))
        #expect(value.elements?.first?.identity == value.identity)
    }

    @Test func limitsHold() throws {
        #expect(throws: PickleError.tooManyBytes(4, limit: 3)) {
            try Samples.read(Array("I1\n.".utf8), limits: PickleLimits(bytes: 3))
        }
        for pickle in ["NNNNN", "(((((", "N22222", "Np0\np1\np2\np3\np4\n"] {
            let error = #expect(throws: PickleError.self) {
                try Samples.read(Array(pickle.utf8), limits: PickleLimits(values: 4))
            }
            guard case .tooManyValues(limit: 4, _) = error else {
                Issue.record("\(pickle): \(String(describing: error))")
                continue
            }
        }
    }

    /// Truncations and seeded changes of good pickles are read or refused, and never trap.
    @Test(.timeLimit(.minutes(1))) func mutationsNeverTrap() throws {
        var generator = SplitMix64(seed: 5)
        var accepted = 0
        for name in (0...5).map({ "mixed-\($0).pkl" }) + ["array-c.pkl", "cifar-python2.pkl"] {
            let whole = try Samples.bytes(name)
            for length in stride(from: 0, to: whole.count, by: max(1, whole.count / 200)) {
                #expect(throws: PickleError.self) { try Samples.read(Array(whole[..<length])) }
            }
            let bound = min(whole.count, 1500)
            for _ in 0..<1500 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let index = Int.random(in: 0..<bound, using: &generator)
                    bytes[index] =
                        Bool.random(using: &generator)
                        ? UInt8.random(in: 0...255, using: &generator)
                        : "().012FIJKLMNPQRSTUVX]abcdeghijlopqrstu}".utf8.randomElement(using: &generator) ?? 0
                }
                guard let value = try? Samples.read(bytes) else { continue }
                accepted += 1
                for (_, value) in value.pairs ?? [] {
                    _ = NumpyArray(value)
                    _ = value.bytes
                    _ = value.elements
                }
            }
        }
        #expect(accepted > 0, "some changes leave the pickle valid")
    }
}
