import DenseMath
import Foundation
import Lens
import Testing

@testable import Experiments

private let folder = HandMade.repository.deletingLastPathComponent().appendingPathComponent(
    "shared/data/real-clip-text")

/// The rule on synonyms in the text space of a real CLIP: 1203 names as OpenAI's ViT-B/32 embeds them, which are not in the
/// repository; the test is skipped where they are not beside it.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: folder.appendingPathComponent("lvis-1203.npy").path)))
struct RealTextSpaceTests {
    private let pool: TextPool

    init() throws {
        let names = try String(contentsOf: folder.appendingPathComponent("lvis-1203.txt"), encoding: .utf8).split(
            separator: "\n"
        ).map(String.init)
        let data = try Data(contentsOf: folder.appendingPathComponent("lvis-1203.npy"))
        // NumPy's format: magic, version, length of the header, header, numbers in fp16.
        let header = Int(data[8]) + Int(data[9]) << 8
        let values = data.dropFirst(10 + header).withUnsafeBytes {
            $0.bindMemory(to: UInt16.self).map { Float(Float16(bitPattern: $0)) }
        }
        try #require(values.count == names.count * 512)
        pool = TextPool(
            phrases: names, embeddings: Tensor(shape: [names.count, 512], elements: values).rowsNormalised())
    }

    private func row(_ name: String) throws -> ArraySlice<Float> {
        pool.embeddings[row: try #require(pool.phrases.firstIndex(of: name))]
    }

    /// The names above the threshold, the class itself apart, the most similar first.
    private func synonyms(of name: String, above threshold: Float = 0.5) throws -> [String] {
        zip(pool.phrases, try pool.centredSimilarities(with: row(name))).filter { $0.1 > threshold && $0.0 != name }
            .sorted { $0.1 > $1.1 }.map(\.0)
    }

    @Test func oneThresholdSeparatesWhatAPersonWouldCallTheSame() throws {
        // The fifth, jeep, is at 0.50.
        #expect(
            try Set(synonyms(of: "truck").prefix(4)) == ["pickup_truck", "trailer_truck", "garbage_truck", "tow_truck"])
        #expect(try synonyms(of: "dog").first == "puppy" && synonyms(of: "horse").first == "pony")
        for name in ["truck", "dog", "horse", "boat", "frog", "car_(automobile)", "bird"] {
            let count = try synonyms(of: name).count
            #expect((1...8).contains(count), "\(name): \(count)")
        }
    }

    @Test func similaritiesAreThoseMeasured() throws {
        let similarities = try pool.centredSimilarities(with: row("truck"))
        for (name, expected) in [
            ("pickup_truck", 0.69), ("trailer_truck", 0.69), ("garbage_truck", 0.60), ("tow_truck", 0.53),
            ("jeep", 0.50),
        ] {
            let found = Double(similarities[try #require(pool.phrases.firstIndex(of: name))])
            #expect(abs(found - expected) < 0.006, "\(name): \(found)")
        }
        let mean = similarities.reduce(0, +) / Float(similarities.count)
        #expect(abs(mean) < 0.05, "unrelated names have none: \(mean)")
    }

    /// A plain cosine drops every phrase: so did the rule before.
    @Test func plainCosinesSeparateNothing() throws {
        let truck = Tensor(shape: [512, 1], elements: Array(try row("truck")))
        let cosines = pool.embeddings.times(truck).elements
        #expect(cosines.count { $0 > 0.6 } > 1190, "\(cosines.count { $0 > 0.6 })")
        #expect(try synonyms(of: "truck").count < 10)
    }
}
