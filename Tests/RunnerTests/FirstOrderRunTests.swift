import Foundation
import Pipeline
import Results
import Testing

/// The first-order experiment through the whole program, on few images.
@Suite struct FirstOrderRunTests {
    static let text = """
        experiment: first-order
        world: emoji
        model: emoji-clip
        fit: {dataset: emoji-scenes, split: fit}
        evaluation: {dataset: emoji-scenes, split: val}
        significant-images: 10
        images-per-shard: 32
        pools:
          - {name: words, source: names-and-keywords}
        texts-a-head: 3
        rank: 80
        heads-in-table: 4
        seed: 0
        controls: {accuracy-floor: 0.3}
        """

    @Test func figuresHeadsAndListsComeOut() throws {
        let run = try SmallRun(Self.text)
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 0, "\(output.errors)")
        #expect(output.text.contains("Figures 11 and 12"))
        #expect(output.text.contains("TextSpan: texts of the 4 attention heads"))
        #expect(output.text.contains("PARTIAL, 96 images"))
        let heads = try String(contentsOf: run.results.appendingPathComponent("first-order-heads.csv"), encoding: .utf8)
        #expect(heads.split(whereSeparator: \.isNewline).count == 1 + 6 * 3 * 3)

        let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
        let stored = try #require(try database.latestRun(of: "first-order"))
        let metrics = try database.metrics(of: stored)
        #expect(metrics.count > 100 && metrics.allSatisfy { $0.status == .ok })
        func accuracy(_ condition: String, _ ablated: Int) throws -> Double {
            try #require(
                metrics.first {
                    $0.name == "accuracy" && $0.subject["condition"] == condition
                        && $0.subject["layers-ablated"] == "\(ablated)"
                }?.value)
        }
        // Whichever end one starts from, in the end all layers are gone; rounding may turn an image at most.
        for kind in ["attention", "mlps"] {
            #expect(abs(try accuracy("\(kind)-from-first", 6) - accuracy("\(kind)-from-last", 6)) < 1.5 / 96)
        }
        #expect(try accuracy("attention-from-first", 6) < 0.5)
        // Each text adds to what the ones before explain, and principal directions explain at least as much.
        for head in 0..<18 {
            let rows = metrics.filter { $0.subject["layer"] == "\(head / 3)" && $0.subject["head"] == "\(head % 3)" }
            let texts = rows.filter { $0.name == "textspan-explained-variance" }.compactMap(\.value)
            let best = try #require(rows.first { $0.name == "principal-directions-explained-variance" }?.value)
            #expect(
                texts.count == 3 && texts == texts.sorted() && texts[2] <= best + 1e-6, "\(head): \(texts), \(best)")
        }
        let shares = metrics.filter { $0.name == "head-variance-share" }.compactMap(\.value)
        #expect(shares.count == 18 && abs(shares.reduce(0, +) - 1) < 1e-9)
        // Every number about heads has an interval, around the value that the moments give.
        for row in metrics where row.name.hasSuffix("variance-share") || row.name.contains("explained-variance") {
            let (value, interval) = (try #require(row.value), try #require(row.interval))
            #expect(interval.resamplingUnit == "image" && interval.lower < interval.upper, "\(row.name) \(row.subject)")
            #expect(
                interval.lower <= value && value <= interval.upper, "\(row.name) \(row.subject): \(value), \(interval)")
        }
        #expect(try database.predictions(of: stored).count == 25)
    }

    @Test func oneShardAndManyMeasureTheSame() throws {
        func rows(_ imagesPerShard: Int) throws -> [Metric] {
            let run = try SmallRun(
                Self.text.replacingOccurrences(of: "images-per-shard: 32", with: "images-per-shard: \(imagesPerShard)"))
            #expect(try RunnerProcess.run(run.arguments()).status == 0)
            let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
            return try database.metrics(of: #require(try database.latestRun(of: "first-order")))
        }
        let (one, many) = (try rows(96), try rows(16))
        #expect(one.map(\.subject) == many.map(\.subject))
        for (row, other) in zip(one, many) where row.name != "identity-error" {
            let (value, otherValue) = (try #require(row.value), try #require(other.value))
            #expect(abs(value - otherValue) < 1e-4, "\(row.name) \(row.subject): \(value), \(otherValue)")
        }
    }

    @Test(arguments: [
        ("texts-a-head: 3", "texts-a-heads: 3", "did you mean 'texts-a-head'?"),
        ("texts-a-head: 3", "texts-a-head: 0", "spec.yaml:10:15"),
        ("rank: 80", "rank: many", "spec.yaml:11:7"),
        (
            "  - {name: words, source: names-and-keywords}",
            "  - {name: a, source: captions}\n  - {name: b, source: captions}", "one pool"
        ),
        ("source: names-and-keywords", "file: nowhere.txt", "nowhere.txt"),
        ("controls: {accuracy-floor: 0.3}", "", "'controls' is missing"),
    ])
    func specsAreRefused(old: String, new: String, words: String) throws {
        try expectRefusal(Self.text.replacingOccurrences(of: old, with: new), words)
    }

    @Test func aPoolWithFewerPhrasesThanTextsIsRefused() throws {
        let run = try SmallRun(Self.text.replacingOccurrences(of: "source: names-and-keywords", with: "file: two.txt"))
        try Data("a star\na boat\n".utf8).write(to: run.folder.appendingPathComponent("two.txt"))
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 65)
        #expect(output.errors.contains("words") && output.errors.contains("2") && output.text == "")
    }
}

/// A spec that has to be refused before anything is computed or written.
func expectRefusal(_ text: String, _ words: String) throws {
    let run = try SmallRun(text)
    let output = try RunnerProcess.run(run.arguments())
    #expect([65, 66].contains(output.status), "\(output.status)")
    #expect(output.text == "")
    #expect(output.errors.contains("error: ") && output.errors.contains("fix: "))
    #expect(output.errors.contains(words), "\(output.errors)")
    let kept = FileManager.default.enumerator(atPath: run.results.path)?.compactMap { $0 as? String } ?? []
    #expect(!kept.contains { $0.hasSuffix(".csv") })
}
