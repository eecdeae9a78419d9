import Foundation
import Foundations
import Testing

@testable import Safetensors

@Suite struct WriterTests {
    private func tensors() throws -> [String: StoredTensor] {
        [
            "b": try StoredTensor([Float(1), .nan, -0.0], shape: [3]),
            "a/\"é\"": try StoredTensor([Int32.min, 7], shape: [1, 2]),
            "c": try StoredTensor([UInt8(255)], shape: []),
            "d": try StoredTensor([Double.pi], shape: [1, 1, 1]),
            "empty": try StoredTensor([Float](), shape: [0, 5]),
        ]
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("\(UUID().uuidString).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        let tensors = try tensors()
        try SafetensorsWriter(tensors: tensors, metadata: ["k": "v\n/"]).write(to: url)
        let file = try SafetensorsFile(contentsOf: url)
        #expect(file.metadata == ["k": "v\n/"])
        #expect(file.tensors.count == 5)
        for (name, tensor) in tensors { #expect(try file.tensor(name) == tensor) }
        #expect(try file.floats("b")[1].isNaN)
        #expect(try file.int32s("a/\"é\"") == [.min, 7])
    }

    @Test func equalContentGivesEqualBytes() throws {
        let first = try SafetensorsWriter(tensors: tensors(), metadata: ["x": "1", "y": "2"]).data()
        for _ in 0..<5 {
            // Dictionaries of equal content may iterate in different orders.
            var shuffled: [String: StoredTensor] = [:]
            for (name, tensor) in try tensors().shuffled() { shuffled[name] = tensor }
            #expect(
                try SafetensorsWriter(tensors: shuffled, metadata: ["y": "2", "x": "1"]).data()
                    == first)
        }
    }

    @Test func tensorsStartAtAMultipleOfEight() throws {
        for length in 1...9 {
            let name = String(repeating: "n", count: length)
            let data = try SafetensorsWriter(tensors: [name: .init([Double(1)], shape: [1])]).data()
            let file = try SafetensorsFile(bytes: data, path: "x")
            #expect(file.tensors[name]?.byteRange.lowerBound.isMultiple(of: 8) == true)
        }
    }

    @Test func theHeaderIsAsTheFormatHasIt() throws {
        let data = try SafetensorsWriter(
            tensors: ["b": .init([UInt8(9)], shape: [1]), "a": .init([Float(0)], shape: [1])],
            metadata: ["m": "x"]
        ).data()
        let header = String(decoding: data.dropFirst(8).dropLast(5), as: UTF8.self)
        #expect(
            header.trimmingCharacters(in: .whitespaces)
                == #"{"__metadata__":{"m":"x"},"a":{"data_offsets":[0,4],"dtype":"F32","shape":[1]},"b":{"data_offsets":[4,5],"dtype":"U8","shape":[1]}}"#
        )
    }

    @Test func whatCannotBeStoredIsRefused() throws {
        #expect(throws: SafetensorsError.shapeMismatch(shape: [2], type: .float32, bytes: 4)) {
            try StoredTensor([Float(1)], shape: [2])
        }
        #expect(throws: SafetensorsError.shapeMismatch(shape: [-1], type: .uint8, bytes: 1)) {
            try StoredTensor([UInt8(1)], shape: [-1])
        }
        #expect(throws: SafetensorsError.shapeMismatch(shape: [.max, 3], type: .uint8, bytes: 1)) {
            try StoredTensor([UInt8(1)], shape: [.max, 3])
        }
        #expect(throws: SafetensorsError.reservedName("__metadata__")) {
            try SafetensorsWriter(tensors: ["__metadata__": .init([UInt8(1)], shape: [1])]).data()
        }
        let url = URL(fileURLWithPath: "/nonexistent/x.safetensors")
        #expect(
            throws: OutputError.saveFailed(
                path: "/nonexistent", errno: ENOENT,
                freeBytes: OutputFolder.freeBytes(at: URL(fileURLWithPath: "/nonexistent")))
        ) {
            try SafetensorsWriter(tensors: [:]).write(to: url)
        }
    }

    @Test func numbersAreNeverConvertedWithLoss() throws {
        let bytes = try SafetensorsWriter(tensors: [
            "f": .init([Float(1.5)], shape: [1]), "d": .init([1e300], shape: [1]),
            "l": StoredTensor(
                type: .int64, shape: [2],
                data: Data([0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 1, 0, 0, 0])),
            "bf": StoredTensor(type: .bfloat16, shape: [2], data: Data([0x80, 0x3F, 0xC1, 0xFF])),
        ]).data()
        let file = try SafetensorsFile(bytes: bytes, path: "x")
        #expect(
            throws: SafetensorsError.notConvertible(
                path: "x", tensor: "d", stored: .float64, wanted: "Float")
        ) {
            try file.floats("d")
        }
        #expect(
            throws: SafetensorsError.notConvertible(
                path: "x", tensor: "f", stored: .float32, wanted: "Int32")
        ) {
            try file.int32s("f")
        }
        #expect(
            throws: SafetensorsError.valueOutOfRange(
                path: "x", tensor: "l", index: 1, wanted: "Int32")
        ) {
            try file.int32s("l")
        }
        #expect(throws: SafetensorsError.noSuchTensor(path: "x", tensor: "none")) {
            try file.floats("none")
        }
        #expect(try file.doubles("f") == [1.5])
        let halves = try file.floats("bf")
        #expect(halves[0] == 1 && halves[1].isNaN)
    }
}
