import Foundation
import Testing

@testable import Inputs

/// Outlines and run lengths against the pixels that pycocotools fills.
@Suite struct COCORegionTests {
    private struct Case: Decodable {
        let width, height: Int
        let polygons: [[Double]]
        let counts: String
        let runs: [Int]
    }

    private func cases() throws -> [Case] { try Fixtures.cases(Case.self, "datasets/coco-regions.json") }

    @Test func polygonsFillTheSamePixels() throws {
        var (pictures, wrong) = (0, 0)
        for entry in try cases() where !entry.polygons.isEmpty {
            var expected = [Bool](repeating: false, count: entry.width * entry.height)
            try RunLengths.paint(entry.runs, on: &expected)
            var found = [Bool](repeating: false, count: expected.count)
            for polygon in entry.polygons {
                PolygonFill.paint(polygon, width: entry.width, height: entry.height, on: &found)
            }
            pictures += 1
            wrong += zip(found, expected).count { $0 != $1 }
        }
        #expect(pictures == 400)
        #expect(wrong == 0, "\(wrong) pixels differ")
    }

    @Test func compressedRunLengthsAreTheSame() throws {
        for entry in try cases() {
            var counts = try RunLengths.decompressed(entry.counts.utf8)
            // The tools' own compression keeps empty runs, such as a first one or where polygons meet.
            var expected = [Bool](repeating: false, count: entry.width * entry.height)
            try RunLengths.paint(entry.runs, on: &expected)
            var found = [Bool](repeating: false, count: expected.count)
            try RunLengths.paint(counts, on: &found)
            #expect(found == expected)
            counts.append(1)
            #expect(throws: RunLengths.Fault.self) { try RunLengths.paint(counts, on: &found) }
        }
    }

    @Test(arguments: ["\u{2f}", "p", "é", "P", "oooooooooooooooo0", "0o"]) func foreignRunLengthsAreRefused(
        text: String
    ) {
        #expect(throws: RunLengths.Fault.self) { try RunLengths.decompressed(text.utf8) }
    }

    @Test(arguments: [[], [3], [5], [-1, 5], [2, .max], [4, 1], [4, -4, 4]]) func runsOfAnotherLengthAreRefused(
        counts: [Int]
    ) {
        var region = [Bool](repeating: false, count: 4)
        #expect(throws: RunLengths.Fault.self) { try RunLengths.paint(counts, on: &region) }
    }

    // MARK: JSON

    /// Decimal numbers are the doubles that Swift's own parser gives.
    @Test(arguments: [
        "0", "-0.0", "1", "510.66", "0.1", "123456789012.345", "1e3", "-2.5E-3", "0.30000000000000004",
        "1234567890123456789", "12345678.123456789",
    ])
    func numbersAreExact(text: String) throws {
        let found = try Array(text.utf8).withUnsafeBytes { bytes in
            var json = JSONBytes(bytes)
            return try json.number()
        }
        #expect(found.bitPattern == Double(text)?.bitPattern)
    }

    @Test(arguments: ["", "-", ".5", "1.", "1e", "1e999", "abc", "1.2.3e"]) func foreignNumbersAreRefused(text: String)
    {
        #expect(throws: JSONBytes.Fault.self) {
            try Array(text.utf8).withUnsafeBytes { bytes in
                var json = JSONBytes(bytes)
                _ = try json.number()
                try json.end()
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func deepJSONTakesNoStack() throws {
        for opening in ["[", "{\"k\":"] {
            let text = String(repeating: opening, count: 1_000_000)
            #expect(throws: InputError.self) { try COCOAnnotations(Array(("{\"info\": " + text).utf8), path: "deep") }
        }
    }
}
