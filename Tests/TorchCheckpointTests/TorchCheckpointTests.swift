import Archives
import Foundation
import Foundations
import Pickle
import Safetensors
import Testing

@testable import TorchCheckpoint

@Suite struct TorchCheckpointTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    private static func url(_ name: String) -> URL {
        folder.appendingPathComponent(name)
    }

    /// The tensors of a file as torch reads them back: contiguous, in their own types.
    private static func expected(_ name: String) throws -> [String: StoredTensor] {
        let file = try SafetensorsFile(contentsOf: url("expected.safetensors"))
        let names = file.tensors.keys.filter { $0.hasPrefix(name + "/") }
        return try Dictionary(
            uniqueKeysWithValues: names.map { (String($0.dropFirst(name.count + 1)), try file.tensor($0)) })
    }

    @Test(arguments: [
        ("state-dict.pt", TorchCheckpoint.Layout.stateDict), ("legacy.pt", .legacy), ("training.pt", .stateDict),
        ("training-legacy.pt", .legacy), ("deflated.pt", .stateDict), ("without-crc.pt", .stateDict),
        ("torchscript.pt", .torchScript),
    ])
    func everyTensorHasTheBytesThatTorchReads(name: String, layout: TorchCheckpoint.Layout) throws {
        let url = Self.url(name)
        #expect(TorchCheckpoint.recognises(url))
        let checkpoint = try TorchCheckpoint(contentsOf: url)
        let expected = try Self.expected(name)
        #expect(checkpoint.layout == layout)
        #expect(Set(checkpoint.tensors.keys) == Set(expected.keys))
        for (name, tensor) in expected {
            #expect(checkpoint.tensors[name] == .init(type: tensor.type, shape: tensor.shape))
            #expect(try checkpoint.tensor(name) == tensor, "\(name)")
        }
    }

    @Test func numbersAreThoseOfTheirTypes() throws {
        let checkpoint = try TorchCheckpoint(contentsOf: Self.url("state-dict.pt"))
        let expected = try Self.expected("state-dict.pt")
        for name in [
            "float32", "float16", "bfloat16", "transposed", "part", "column", "expanded", "permuted", "scalar",
            "parameter",
        ] {
            #expect(try checkpoint.floats(name) == expected[name]?.floats(), "\(name)")
        }
        #expect(try checkpoint.floats("float64") == expected["float64"]?.doubles().map { Float($0) })
        #expect(try checkpoint.floats("empty") == [])
        #expect(try checkpoint.int64s("int64") == [-(1 << 40)])
        #expect(try checkpoint.int64s("int32") == [-3, -2, -1, 0, 1, 2])
        #expect(try checkpoint.int64s("uint8") == [250, 251, 252, 253, 254, 255])
        let path = Self.url("state-dict.pt").path
        #expect(throws: TorchCheckpointError.noSuchTensor(path: path, tensor: "none")) { try checkpoint.floats("none") }
        #expect(
            throws: TorchCheckpointError.notConvertible(path: path, tensor: "int64", stored: .int64, wanted: "Float")
        ) {
            try checkpoint.floats("int64")
        }
        #expect(throws: TorchCheckpointError.self) { try checkpoint.int64s("scalar") }
    }

    /// The names and scalars by which a checkpoint of OpenAI is recognised.
    @Test func modulesHaveTheNamesOfTheirStateDict() throws {
        let checkpoint = try TorchCheckpoint(contentsOf: Self.url("torchscript.pt"))
        for name in [
            "visual.conv1.weight", "visual.transformer.resblocks.1.attn.in_proj_weight", "token_embedding.weight",
        ] {
            #expect(checkpoint.tensors[name]?.type == .float16, "\(name)")
        }
        #expect(try checkpoint.int64s("input_resolution") == [8])
        #expect(try checkpoint.int64s("context_length") == [5])
        #expect(try checkpoint.int64s("vocab_size") == [11])
    }

    // MARK: Bad files

    @Test(arguments: [
        ("beyond", TensorDefect.beyondStorage(elements: 6)), ("offset", .beyondStorage(elements: 6)),
        ("far-offset", .beyondStorage(elements: 6)), ("strides", .beyondStorage(elements: 6)),
        ("overflow", .badShape([1 << 32, 1 << 31])), ("expanded", .badShape([1 << 40])),
        ("negative-shape", .badShape([-6])),
        ("negative-stride", .badArguments(function: "torch._utils._rebuild_tensor_v2")),
        ("negative-offset", .badArguments(function: "torch._utils._rebuild_tensor_v2")),
        ("storage-size", .storageSize(key: "0", expected: 28, found: 24)),
        ("missing-storage", .missingStorage(key: "9")), ("parent-storage", .missingStorage(key: "../byteorder")),
    ])
    func tensorsStayWithinTheirStorages(name: String, defect: TensorDefect) throws {
        let url = Self.url("evil-\(name).pt")
        #expect(throws: TorchCheckpointError.malformed(path: url.path, tensor: "x", defect: defect)) {
            try TorchCheckpoint(contentsOf: url)
        }
    }

    /// Without elements nothing is read, whatever the other dimensions are.
    @Test func emptyTensorsMayHaveAnyShape() throws {
        let checkpoint = try TorchCheckpoint(contentsOf: Self.url("evil-empty-overflow.pt"))
        #expect(checkpoint.tensors["x"]?.shape == [0, 1 << 40, 1 << 40])
        #expect(try checkpoint.floats("x") == [])
    }

    @Test func callsAreRefused() throws {
        let reduce = Self.url("evil-reduce.pt")
        #expect(
            throws: TorchCheckpointError.pickle(
                path: reduce.path, .refusedGlobal(PickleGlobal("os", "system"), offset: 2))
        ) {
            try TorchCheckpoint(contentsOf: reduce)
        }
        let storage = PickleGlobal("torch", "ComplexFloatStorage")
        let classes = Self.url("evil-storage-class.pt")
        #expect(throws: TorchCheckpointError.pickle(path: classes.path, .refusedGlobal(storage, offset: 56))) {
            try TorchCheckpoint(contentsOf: classes)
        }
    }

    @Test(
        .timeLimit(.minutes(1)), arguments: [("module-bomb", nil), ("module-cycle", TensorDefect.tooDeep(limit: 64))])
    func modulesThatNeverEndAreRefused(name: String, defect: TensorDefect?) throws {
        let url = Self.url("evil-\(name).pt")
        let error = #expect(throws: TorchCheckpointError.self) { try TorchCheckpoint(contentsOf: url) }
        if let defect { #expect(error == .malformed(path: url.path, tensor: nil, defect: defect)) }
    }

    @Test func otherFilesAreNamed() throws {
        let path = { Self.url($0).path }
        #expect(throws: TorchCheckpointError.bigEndian(path: path("evil-big-endian.pt"))) {
            try TorchCheckpoint(contentsOf: Self.url("evil-big-endian.pt"))
        }
        #expect(throws: TorchCheckpointError.noTensors(path: path("evil-no-tensors.pt"))) {
            try TorchCheckpoint(contentsOf: Self.url("evil-no-tensors.pt"))
        }
        #expect(throws: TorchCheckpointError.notACheckpoint(path: path("expected.safetensors"))) {
            try TorchCheckpoint(contentsOf: Self.url("expected.safetensors"))
        }
        #expect(!TorchCheckpoint.recognises(Self.url("expected.safetensors")))
        #expect(!TorchCheckpoint.recognises(Self.url("none")))
        #expect(throws: ArchiveError.cannotRead(path: path("none"), .missing)) {
            try TorchCheckpoint(contentsOf: Self.url("none"))
        }
    }

    @Test func aFlippedByteIsFound() throws {
        let checkpoint = try TorchCheckpoint(contentsOf: Self.url("evil-flipped.pt"))
        let error = #expect(throws: ArchiveError.self) { try checkpoint.floats("x") }
        guard case .refused(_, "archive/data/0", _, .checksumMismatch) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// Truncations and seeded changes are read or refused, and never trap.
    @Test(.timeLimit(.minutes(1)), arguments: ["state-dict.pt", "legacy.pt", "torchscript.pt"])
    func mutationsNeverTrap(name: String) throws {
        let whole = [UInt8](try Data(contentsOf: Self.url(name)))
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("torch-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        for length in Array(stride(from: 0, to: whole.count, by: max(1, whole.count / 60))) + [1, whole.count - 1] {
            try Data(whole[..<length]).write(to: url)
            #expect(throws: (any Error).self, "\(length) bytes") { try TorchCheckpoint(contentsOf: url) }
        }
        // The pickle of a zip file has a CRC, which is told to be absent, so that changes get through.
        var unchecked = whole
        if let pickle = Self.pickleRange(in: whole), let directory = Self.directoryEntry(of: "/data.pkl", in: whole) {
            unchecked.replaceSubrange(directory + 16..<directory + 20, with: [0, 0, 0, 0])
            try mutate(unchecked, in: pickle, at: url)
        } else {
            try mutate(unchecked, in: 0..<1800, at: url)
        }
        try mutate(whole, in: 0..<whole.count, at: url)
    }

    private func mutate(_ original: [UInt8], in range: Range<Int>, at url: URL) throws {
        var generator = SplitMix64(seed: 9)
        var opened = 0
        for _ in 0..<400 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                bytes[Int.random(in: range, using: &generator)] =
                    [
                        UInt8.random(in: 0...255, using: &generator), UInt8.random(in: 0...9, using: &generator), 0xFF,
                    ].randomElement(using: &generator) ?? 0
            }
            try Data(bytes).write(to: url)
            guard let checkpoint = try? TorchCheckpoint(contentsOf: url) else { continue }
            opened += 1
            for name in checkpoint.tensors.keys { _ = try? checkpoint.floats(name) }
        }
        #expect(opened > 0, "some changes leave the file valid")
    }

    private static func pickleRange(in bytes: [UInt8]) -> Range<Int>? {
        guard let start = find(Array("data.pkl".utf8), in: bytes, from: 0),
            let pickle = find([0x80, 0x02], in: bytes, from: start),
            let end = find([0x50, 0x4B], in: bytes, from: pickle)
        else { return nil }
        return pickle..<end
    }

    private static func directoryEntry(of name: String, in bytes: [UInt8]) -> Int? {
        var position = 0
        while let entry = find([0x50, 0x4B, 0x01, 0x02], in: bytes, from: position) {
            let length = Int(bytes[entry + 28])
            if bytes[entry + 46..<entry + 46 + length].suffix(name.utf8.count).elementsEqual(name.utf8) { return entry }
            position = entry + 4
        }
        return nil
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard start + pattern.count <= bytes.count else { return nil }
        return (start...bytes.count - pattern.count).first { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}
