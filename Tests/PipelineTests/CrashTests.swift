import Dispatch
import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What a process that dies leaves, and what processes do to each other.
@Suite struct CrashTests {
    /// A run is continued from copies of the folder taken while it was being written, incomplete
    /// files included, as after a loss of power.
    @Test func anyMomentOfARunCanBeContinued() throws {
        let folder = try TemporaryFolder()
        let copies = try TemporaryFolder()
        let reference = try SamplePipeline()
        let results = try ResultsFolder(folder.url, lockTimeout: .zero)
        try Executor(reference.graph, in: results, options: .init(workers: 3)) { event in
            switch event {
            case .progress, .started, .finished:
                copyFiles(of: folder, to: copies.url.appendingPathComponent(UUID().uuidString))
            default: break
            }
        }.run()
        let expected = try artefacts(in: folder)

        let moments = try FileManager.default.contentsOfDirectory(atPath: copies.url.path)
        #expect(moments.count > 15)
        for moment in moments {
            let url = copies.url.appendingPathComponent(moment)
            let log = SamplePipeline.Log()
            let events = EventLog()
            let pipeline = try SamplePipeline(log: log)
            let plan = try Plan(pipeline.graph, store: ArtefactStore(results: url))
            let copy = try ResultsFolder(url, lockTimeout: .zero)
            try Executor(pipeline.graph, in: copy) { events.add($0) }.run()
            #expect(events.warnings.isEmpty)
            #expect(log.computedShards.count == (plan.unitsLeft + 6) / 7)
            let names = try FileManager.default.subpathsOfDirectory(atPath: url.path)
            #expect(!names.contains { $0.contains(".clip-lens-") || $0.contains("/shards/") })
            for (path, bytes) in expected {
                let file = url.appendingPathComponent(path)
                // A step that nothing asks for any more is not computed again.
                if FileManager.default.fileExists(atPath: file.path) {
                    #expect(try Data(contentsOf: file) == bytes)
                }
            }
            let report = try Executor(pipeline.graph, in: copy).run().artefact(pipeline.report)
            #expect(report.text == "16 sums")
        }
    }

    @Test func severalRunnersComputeEachShardOnce() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        DispatchQueue.concurrentPerform(iterations: 5) { _ in
            do {
                let pipeline = try SamplePipeline(log: log)
                let results = try ResultsFolder(folder.url, lockTimeout: .seconds(60))
                try Executor(pipeline.graph, in: results, options: .init(workers: 2)).run()
            } catch {
                Issue.record(error)
            }
        }
        #expect(log.computedShards == Array(0..<15))
        #expect(log.reportsMade.load(ordering: .relaxed) == 1)
    }

    private func artefacts(in folder: TemporaryFolder) throws -> [String: Data] {
        try folder.contents(suffix: "artefact.safetensors")
            .merging(folder.contents(suffix: "artefact.json")) { first, _ in first }
    }
}

/// Copies what is there. Manifests go first: data is written before its manifest, so what a copied
/// manifest promises is there to be copied after it. Incomplete files may vanish meanwhile.
private func copyFiles(of folder: TemporaryFolder, to destination: URL) {
    let isManifest = { (path: String) in path.hasSuffix("manifest.json") }
    let manifests = ((try? folder.files()) ?? []).filter(isManifest)
    let others = ((try? folder.files()) ?? []).filter { !isManifest($0) }
    for path in manifests + others {
        let target = destination.appendingPathComponent(path)
        try? FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try? FileManager.default.copyItem(at: folder.url.appendingPathComponent(path), to: target)
    }
}
