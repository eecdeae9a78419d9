import Foundation
import Pipeline
import Results
import Testing

/// The whole program under interruption: whatever happens, the same command ends with the same rows.
@Suite(.serialized) struct ResumeTests {
    /// What a run left: metrics, predictions, and the CSV files' bytes.
    struct Rows: Equatable {
        let metrics: [Metric]
        let predictions: [PredictionSet]
        let files: [Data]
    }

    func rows(_ run: SmallRun) throws -> Rows {
        let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
        let stored = try #require(try database.latestRun(of: "mean-ablation"))
        return Rows(
            metrics: try database.metrics(of: stored), predictions: try database.predictions(of: stored),
            files: try ["mean-ablation.csv", "mean-ablation-predictions.csv"].map {
                try Data(contentsOf: run.results.appendingPathComponent($0))
            })
    }

    @Test func workersDoNotChangeAByte() throws {
        let runs = try [1, 2, 3].map { jobs in
            let run = try SmallRun()
            let output = try RunnerProcess.run(run.arguments(["--jobs", "\(jobs)"]))
            #expect(output.status == 0, "\(output.errors)")
            return run
        }
        let first = try rows(runs[0])
        #expect(first.metrics.count > 20)
        #expect(first.predictions.reduce(0) { $0 + $1.predictions.count } == 96 * 31)
        for run in runs.dropFirst() { #expect(try rows(run) == first) }
    }

    @Test func killedRunsEndWithTheRowsOfAnUndisturbedOne() throws {
        let undisturbed = try SmallRun()
        #expect(try RunnerProcess.run(undisturbed.arguments()).status == 0)
        let expected = try rows(undisturbed)

        let disturbed = try SmallRun()
        var generator = SystemRandomNumberGenerator()
        var kills = 0
        for _ in 0..<8 {
            let running = try RunnerProcess.start(disturbed.arguments())
            Thread.sleep(forTimeInterval: Double.random(in: 0.05...1.2, using: &generator))
            guard running.process.isRunning else { continue }
            kill(running.process.processIdentifier, SIGKILL)
            running.process.waitUntilExit()
            kills += 1
        }
        #expect(kills >= 3, "the runs were over before they could be killed")
        let output = try RunnerProcess.run(disturbed.arguments())
        #expect(output.status == 0, "\(output.errors)")
        #expect(try rows(disturbed) == expected)
        let leftovers = FileManager.default.enumerator(atPath: disturbed.results.path)?
            .compactMap { $0 as? String }.filter { $0.contains(".tmp-") } ?? []
        #expect(leftovers == [])
    }

    @Test func interruptKeepsFinishedShardsAndSaysHowToGoOn() throws {
        let run = try SmallRun()
        let running = try RunnerProcess.start(run.arguments(["--jobs", "1"]))
        let cache = run.results.appendingPathComponent("cache/effect-means").path
        // Wait until a shard of the first pass over images is there.
        for _ in 0..<2000 {
            let shards = FileManager.default.enumerator(atPath: cache)?.compactMap { $0 as? String } ?? []
            if shards.contains(where: { $0.hasSuffix("manifest.json") }) { break }
            Thread.sleep(forTimeInterval: 0.005)
        }
        kill(running.process.processIdentifier, SIGINT)
        let output = try running.wait()
        #expect(output.status == 130)
        #expect(output.errors.contains("fix:   go on with: \(RunnerProcess.executable.path) --spec"))
        let again = try RunnerProcess.run(run.arguments())
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test func aSecondCallComputesNothingAndStoresNoSecondCopy() throws {
        let run = try SmallRun()
        #expect(try RunnerProcess.run(run.arguments()).status == 0)
        let first = try rows(run)
        let again = try RunnerProcess.run(run.arguments())
        #expect(again.status == 0)
        #expect(again.text.contains("Nothing to compute"))
        #expect(try rows(run) == first)
        let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
        #expect(try database.runs(of: "mean-ablation").count == 2)
        #expect(try database.latestRun(of: "mean-ablation")?.repeatsRows == true)
    }

    @Test func aChangedByteInAnArtefactIsFoundAndComputedAgain() throws {
        let run = try SmallRun()
        #expect(try RunnerProcess.run(run.arguments()).status == 0)
        let expected = try rows(run)
        let folder = run.results.appendingPathComponent("cache/principal-directions")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        let artefact = try #require(files.first { $0.lastPathComponent == "artefact.safetensors" })
        var bytes = try Data(contentsOf: artefact)
        bytes[bytes.count - 100] ^= 1
        try bytes.write(to: artefact)
        let again = try RunnerProcess.run(run.arguments())
        #expect(again.status == 0)
        #expect(again.errors.contains("was damaged"))
        #expect(try rows(run) == expected)
    }

    @Test func aSecondRunnerWaitsForTheFirst() throws {
        let run = try SmallRun()
        let first = try RunnerProcess.start(run.arguments())
        let lock = run.results.appendingPathComponent(".lock").path
        for _ in 0..<2000 where !FileManager.default.fileExists(atPath: lock) { Thread.sleep(forTimeInterval: 0.005) }
        let second = try RunnerProcess.run(run.arguments(["--lock-timeout", "0"]))
        #expect(second.status == 75)
        #expect(second.errors.contains("process \(first.process.processIdentifier)"))
        #expect(try first.wait().status == 0)
    }
}
