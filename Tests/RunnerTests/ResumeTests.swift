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

    // MARK: Kills

    /// A run cut into more shards than a kill can be late by.
    static let manyShards = SmallRun.text.replacingOccurrences(of: "images-per-shard: 16", with: "images-per-shard: 8")

    /// The rows that every killed run has to end with.
    static let undisturbed = Result {
        let run = try SmallRun(manyShards)
        #expect(try RunnerProcess.run(run.arguments()).status == 0)
        return try ResumeTests().rows(run)
    }

    /// What tells a file from one that was written again in its place.
    struct Identity: Equatable {
        let inode: Int
        let modified: Date
    }

    /// The shard files of steps without an artefact, by path: what a kill must leave to the next attempt.
    /// Files without a manifest do not count, nor for the runner.
    func survivors(_ run: SmallRun) -> [String: Identity] {
        let files = FileManager.default
        let cache = run.results.appendingPathComponent("cache")
        var found: [String: Identity] = [:]
        for path in files.enumerator(atPath: cache.path)?.compactMap({ $0 as? String }) ?? []
        where path.contains("/shards/") && path.hasSuffix(".manifest.json") && !path.contains(".clip-lens-") {
            let manifest = cache.appendingPathComponent(path)
            let folder = manifest.deletingLastPathComponent()
            guard
                !files.fileExists(
                    atPath: folder.deletingLastPathComponent().appendingPathComponent("manifest.json").path)
            else { continue }
            let shard = manifest.lastPathComponent.prefix { $0 != "." }
            for name in ["\(shard).manifest.json", "\(shard).safetensors", "\(shard).json"] {
                let file = folder.appendingPathComponent(name)
                guard let attributes = try? files.attributesOfItem(atPath: file.path),
                    let inode = attributes[.systemFileNumber] as? Int,
                    let modified = attributes[.modificationDate] as? Date
                else { continue }
                found[file.path] = Identity(inode: inode, modified: modified)
            }
        }
        return found
    }

    /// The finished shards of a step, cheap enough to ask a thousand times.
    func shards(of step: String, _ run: SmallRun) -> Set<String> {
        let files = FileManager.default
        let folder = run.results.appendingPathComponent("cache/\(step)")
        let keys = (try? files.contentsOfDirectory(atPath: folder.path)) ?? []
        return Set(
            keys.flatMap { key in
                (try? files.contentsOfDirectory(atPath: folder.appendingPathComponent("\(key)/shards").path)) ?? []
            }.filter { $0.hasSuffix(".manifest.json") && !$0.contains("/.clip-lens-") })
    }

    /// Starts the runner and kills it as soon as it has stored a new shard of `step`.
    /// - Returns: false where the step was over before the signal came.
    func killRun(_ run: SmallRun, in step: String) throws -> Bool {
        let before = shards(of: step, run)
        let running = try RunnerProcess.start(run.arguments(["--jobs", "1"]))
        let deadline = Date(timeIntervalSinceNow: 60)
        while running.process.isRunning, Date() < deadline, shards(of: step, run).isSubset(of: before) {
            Thread.sleep(forTimeInterval: 0.001)
        }
        kill(running.process.processIdentifier, SIGKILL)
        running.process.waitUntilExit()
        return !shards(of: step, run).isSubset(of: before)
    }

    /// Twice in each step, so that the second attempt meets shards of the first.
    @Test func runsKilledInEachStepKeepTheirShardsAndEndWithTheSameRows() throws {
        let disturbed = try SmallRun(Self.manyShards)
        var kept: [String: Identity] = [:]
        var compared = Set<String>()
        for step in ["effect-means", "largest-effects", "ablation-predictions"] {
            var kills = 0
            for _ in 0..<10 where kills < 2 {
                if try killRun(disturbed, in: step) {
                    kills += 1
                } else {
                    // Too late, as on a machine with much else to do: the step has to begin anew.
                    try FileManager.default.removeItem(at: disturbed.results.appendingPathComponent("cache/\(step)"))
                }
                let found = survivors(disturbed)
                for (path, identity) in found {
                    guard let before = kept[path] else { continue }
                    #expect(identity == before, "\(path) was written again")
                    compared.insert(step)
                }
                kept = found
            }
            #expect(kills == 2, "\(step) was over before it could be killed")
        }
        #expect(compared.count == 3, "no step met shards of an earlier attempt: \(compared)")
        try expectTheRowsOfAnUndisturbedRun(disturbed)
    }

    @Test func runsKilledAtAnyMomentEndWithTheSameRows() throws {
        let disturbed = try SmallRun(Self.manyShards)
        var generator = SystemRandomNumberGenerator()
        var kept: [String: Identity] = [:]
        for _ in 0..<3 {
            let running = try RunnerProcess.start(disturbed.arguments(["--jobs", "1"]))
            Thread.sleep(forTimeInterval: Double.random(in: 0.05...0.8, using: &generator))
            kill(running.process.processIdentifier, SIGKILL)
            running.process.waitUntilExit()
            let found = survivors(disturbed)
            for (path, identity) in found where kept[path] != nil {
                #expect(identity == kept[path], "\(path) was written again")
            }
            kept = found
        }
        try expectTheRowsOfAnUndisturbedRun(disturbed)
    }

    func expectTheRowsOfAnUndisturbedRun(_ disturbed: SmallRun) throws {
        let output = try RunnerProcess.run(disturbed.arguments())
        #expect(output.status == 0, "\(output.errors)")
        #expect(try rows(disturbed) == Self.undisturbed.get())
        let leftovers =
            FileManager.default.enumerator(atPath: disturbed.results.path)?
            .compactMap { $0 as? String }.filter { $0.contains(".clip-lens-") } ?? []
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
        let files =
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
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
