import Foundation
import Foundations
import Testing

@testable import Safetensors

@Suite struct MalformedFileTests {
    /// What each defect is called, with its facts.
    @Test(arguments: [
        ("seven-bytes", HeaderDefect.tooShort(bytes: 7)),
        ("header-over-100-mb", .headerTooLarge(bytes: 100_000_001)),
        ("header-length-overflows", .headerTooLarge(bytes: .max)),
        ("header-beyond-end", .headerBeyondEnd(bytes: 3, available: 2)),
        ("not-utf8", .headerNotUTF8),
        ("no-header", .invalidJSON(offset: 0, problem: .unexpectedEnd)),
        ("header-array", .invalidJSON(offset: 0, problem: .expected("object"))),
        ("trailing-garbage", .invalidJSON(offset: 55, problem: .trailingBytes)),
        ("trailing-comma", .invalidJSON(offset: 54, problem: .expected("string"))),
        ("lone-surrogate", .invalidJSON(offset: 2, problem: .invalidEscape)),
        ("control-character", .invalidJSON(offset: 3, problem: .controlCharacter)),
        ("fractional-shape", .invalidJSON(offset: 29, problem: .expected("natural number"))),
        ("duplicate-tensor", .duplicateKey("a")),
        ("duplicate-field", .duplicateKey("a.dtype")),
        ("duplicate-metadata", .duplicateKey("__metadata__.k")),
        ("unknown-dtype", .unknownElementType(tensor: "a", name: "F31")),
        ("missing-shape", .missingField(tensor: "a", field: "shape")),
        ("huge-shape", .invalidShape(tensor: "a", shape: [1 << 62, 1 << 62])),
        ("odd-half-bytes", .invalidShape(tensor: "a", shape: [3])),
        ("wrong-size", .sizeMismatch(tensor: "a", expected: 12, spanned: 8)),
        ("hole", .invalidOffsets(tensor: "b", start: 12, end: 20, expectedStart: 8)),
        ("overlap", .invalidOffsets(tensor: "b", start: 4, end: 12, expectedStart: 8)),
        ("end-before-start", .invalidOffsets(tensor: "a", start: 8, end: 0, expectedStart: 0)),
        ("beyond-end", .lengthMismatch(expected: 77, actual: 76)),
        ("trailing-bytes", .lengthMismatch(expected: 77, actual: 78)),
    ])
    func defectsAreNamed(name: String, defect: HeaderDefect) throws {
        let url = fixture("cases/\(name).safetensors")
        #expect(throws: SafetensorsError.malformed(path: url.path, defect: defect)) {
            try SafetensorsFile(contentsOf: url)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["[", "{\"k\":", "[[],"])
    func deepJSONTakesNoStack(opening: String) throws {
        for depth in [200, 1_000_000] {
            let header = #"{"a":{"x":"# + String(repeating: opening, count: depth)
            let error = #expect(throws: SafetensorsError.self) {
                try SafetensorsFile(bytes: file(header), path: "deep")
            }
            guard case .malformed(_, .invalidJSON(_, problem: .tooDeep)) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func nestingIsAcceptedAsFarAsTheReferenceDoes() throws {
        for (depth, isAccepted) in [(125, true), (126, false)] {
            let value = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let bytes = file(
                #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":\#(value)}}"#)
            let file = try? SafetensorsFile(bytes: bytes, path: "deep")
            #expect((file != nil) == isAccepted)
        }
    }

    @Test func filesThatCannotBeOpenedAreNamed() throws {
        let missing = URL(fileURLWithPath: "/nonexistent/model.safetensors")
        #expect(throws: SafetensorsError.cannotRead(path: missing.path, .missing)) {
            try SafetensorsFile(contentsOf: missing)
        }
        let folder = FileManager.default.temporaryDirectory
        #expect(throws: SafetensorsError.cannotRead(path: folder.path, .isAFolder)) {
            try SafetensorsFile(contentsOf: folder)
        }
    }

    /// Truncations and seeded changes of a valid file are accepted or refused, and never trap.
    @Test func mutationsNeverTrap() throws {
        let original = [UInt8](try Data(contentsOf: fixture("reference.safetensors")))
        let headerEnd = 8 + Int(original[0]) + Int(original[1]) << 8
        for length in stride(from: 0, to: original.count, by: 7) {
            #expect(throws: SafetensorsError.self) {
                try SafetensorsFile(bytes: Data(original[..<length]), path: "cut")
            }
        }
        var generator = SplitMix64(seed: 42)
        var accepted = 0
        for _ in 0..<5000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<headerEnd, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1:
                    bytes[index] =
                        "0123456789[]{}\",:\\ -".utf8.randomElement(using: &generator) ?? 0
                case 2: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                default: bytes.swapAt(index, Int.random(in: 0..<headerEnd, using: &generator))
                }
            }
            guard let file = try? SafetensorsFile(bytes: Data(bytes), path: "mutated") else {
                continue
            }
            accepted += 1
            for name in file.tensors.keys {
                _ = try? file.floats(name)
                _ = try? file.int32s(name)
            }
        }
        #expect(accepted > 0, "some changes, as of a name, leave the file valid")
    }

    private func file(_ header: String) -> Data {
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        return length + Data(header.utf8)
    }
}
