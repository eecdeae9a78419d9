import Foundation
import Results
import Testing

/// The indirect-effect experiment through the whole program, on few images and neurons.
@Suite struct IndirectEffectRunTests {
    static let text = """
        experiment: indirect-effect
        world: emoji
        model: emoji-clip
        fit: {dataset: emoji-scenes, split: fit}
        layers: [2, 4]
        significant-images: 10
        images-per-shard: 32
        indirect-sample: {neurons: 2, images: 32}
        seed: 0
        """

    @Test func distributionsAndTheListComeOut() throws {
        let run = try SmallRun(Self.text)
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 0, "\(output.errors)")
        #expect(output.text.contains("PARTIAL, 96 images"))
        #expect(output.text.contains("Directions of indirect effects"))
        let list = try String(
            contentsOf: run.results.appendingPathComponent("indirect-effect-neurons.csv"), encoding: .utf8)
        let rows = list.split(whereSeparator: \.isNewline).dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.count == 2 * 768)
        // What all neurons have, and what only those sampled do.
        #expect((2..<6).allSatisfy { column in rows.allSatisfy { $0[column] != "" } })
        #expect((6..<16).allSatisfy { column in rows.count { $0[column] != "" } == 4 })

        let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
        let stored = try #require(try database.latestRun(of: "indirect-effect"))
        let metrics = try database.metrics(of: stored)
        #expect(metrics.allSatisfy { $0.status == .ok })
        // In each of two layers three shares of each kind of effects on equal samples, of second-order effects of all as well, and quantiles.
        #expect(metrics.count { $0.name == "pc1-share" } == 2 * (3 * 3 + 2 * 5))
        for row in metrics where row.name == "pc1-share" || row.name == "images-holding" {
            #expect((0...1).contains(row.value ?? -1))
        }
        #expect(try database.predictions(of: stored) == [])
    }

    /// What both experiments need is computed once.
    @Test func stepsAreThoseOfMeanAblation() throws {
        let text = SmallRun.text.replacingOccurrences(
            of: "experiment: mean-ablation", with: "experiment: indirect-effect"
        )
        .replacingOccurrences(of: "evaluation: {dataset: emoji-scenes, split: val}\n", with: "")
        .replacingOccurrences(of: "\ncontrols: {accuracy-floor: 0.3}", with: "")
        let run = try SmallRun(text)
        #expect(try RunnerProcess.run(run.arguments()).status == 0)
        let meanAblation = run.folder.appendingPathComponent("mean-ablation.yaml")
        try Data(SmallRun.text.utf8).write(to: meanAblation)
        let output = try RunnerProcess.run([
            "--spec", meanAblation.path, "--results", run.results.path, "--limit", "96",
        ])
        #expect(output.status == 0, "\(output.errors)")
        for step in ["effect-means", "largest-effects", "principal-directions", "sampled-effects"] {
            #expect(!output.errors.contains("\(step): done"), "\(output.errors)")
        }
        #expect(output.errors.contains("ablation-predictions: done"))
    }

    @Test(arguments: [
        ("indirect-sample: {neurons: 2, images: 32}", "", "'indirect-sample' is missing"),
        ("neurons: 2", "neurons: 769", "769"),
        ("images: 32}", "images: 1}", "spec.yaml:8"),
        ("seed: 0", "seed: 0\nevaluation: {dataset: emoji-scenes, split: val}", "unknown key 'evaluation'"),
        ("layers: [2, 4]", "layers: [5]", "no later attention layer"),
    ])
    func specsAreRefused(old: String, new: String, words: String) throws {
        try expectRefusal(Self.text.replacingOccurrences(of: old, with: new), words)
    }
}
