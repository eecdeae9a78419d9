import Foundation
import TestSupport
import Testing

@testable import Pipeline

@Suite struct ArtefactTests {
    // MARK: Damage

    @Test(arguments: ["artefact.safetensors", "artefact.json"])
    func aFlippedByteIsFoundAndComputedAgainWithOneWarning(suffix: String) throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        try pipeline.run(in: folder)
        let original = try folder.contents(suffix: suffix)
        let path = try #require(original.keys.min())
        try flipByte(of: folder.url.appendingPathComponent(path))

        let statuses = try pipeline.statuses(in: folder)
        #expect(statuses.count { $0 == .done } == 2)
        #expect(
            statuses.contains {
                if case .run(.damaged(let file)) = $0 { file.path.hasSuffix(path) } else { false }
            })

        let events = EventLog()
        try pipeline.run(in: folder, events: events)
        #expect(events.warnings.count == 1)
        #expect(try folder.contents(suffix: suffix) == original)

        let quiet = EventLog()
        let result = try pipeline.run(in: folder, events: quiet)
        #expect(result.isReused && quiet.warnings.isEmpty)
    }

    @Test func aDamagedShardIsComputedAgainAlone() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        try SamplePipeline(log: log).run(in: folder, keepsShards: true)
        let original = try folder.contents(suffix: "artefact.safetensors")
        try removeArtefact(ofKind: "sum", in: folder)
        try removeArtefact(ofKind: "report", in: folder)
        let shards = try folder.files().filter { $0.hasSuffix("000003.safetensors") }
        try flipByte(of: folder.url.appendingPathComponent(try #require(shards.first)))

        let events = EventLog()
        try SamplePipeline(log: log).run(in: folder, events: events)
        #expect(events.warnings.count == 1)
        #expect(log.computedShards.count == 16)
        #expect(log.computedShards.filter { $0 == 3 }.count == 2)
        #expect(try folder.contents(suffix: "artefact.safetensors") == original)
    }

    @Test func manifestsThatAreGarbageOrForeignAreDamage() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        try pipeline.run(in: folder)
        let manifests = try folder.files().filter { $0.hasSuffix("/manifest.json") }
        let sum = folder.url.appendingPathComponent(
            try #require(manifests.first { $0.contains("/sum/") }))
        let report = folder.url.appendingPathComponent(
            try #require(manifests.first { $0.contains("/report/") }))
        try Data("{".utf8).write(to: sum)
        #expect(
            try pipeline.statuses(in: folder)[1]
                == .run(.damaged(DamagedFile(path: sum.path, damage: .unreadableManifest))))
        try Data(contentsOf: report).write(to: sum)
        #expect(
            try pipeline.statuses(in: folder)[1]
                == .run(.damaged(DamagedFile(path: sum.path, damage: .foreignManifest))))
        try pipeline.run(in: folder)
        #expect(try pipeline.statuses(in: folder) == [.done, .done, .done])
    }

    @Test func aFileThatItsManifestNamesButThatIsGoneIsDamage() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        try pipeline.run(in: folder)
        let path = try #require(folder.files().first { $0.hasSuffix("artefact.json") })
        let url = folder.url.appendingPathComponent(path)
        try FileManager.default.removeItem(at: url)
        #expect(
            try pipeline.statuses(in: folder)[2]
                == .run(.damaged(DamagedFile(path: url.path, damage: .missing))))
    }

    // MARK: Interrupted attempts

    @Test func whatIsNotCommittedIsNeverRead() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        let pipeline = try SamplePipeline(log: log)
        try pipeline.run(in: folder, keepsShards: true)
        try removeArtefact(ofKind: "report", in: folder)
        // As after a loss of power between the two renames of an artefact, and of a shard.
        for path in try folder.files() where path.hasSuffix("manifest.json") {
            let isOne =
                path.contains("/sum/") && (!path.contains("/shards/") || path.contains("000005."))
            if isOne {
                try FileManager.default.removeItem(at: folder.url.appendingPathComponent(path))
            }
        }
        for path in try folder.files()
        where path.contains("/sum/") && path.hasSuffix("artefact.safetensors") {
            try Data("half".utf8).write(to: folder.url.appendingPathComponent(path))
        }
        let events = EventLog()
        try pipeline.run(in: folder, events: events)
        #expect(events.warnings.isEmpty)
        #expect(log.computedShards.filter { $0 == 5 }.count == 2)
        #expect(log.computedShards.count == 16)
    }

    @Test func temporariesOfDeadAttemptsAreRemoved() throws {
        let folder = try TemporaryFolder()
        let shards = folder.url.appendingPathComponent("cache/sum/abc/shards")
        try FileManager.default.createDirectory(at: shards, withIntermediateDirectories: true)
        let leftovers = [
            shards.appendingPathComponent(".clip-lens-0a0b0c0d-123-456-0k-1.part"),
            folder.url.appendingPathComponent(".clip-lens-0a0b0c0d-123-456-0k-2.part"),
        ]
        for url in leftovers { try Data("x".utf8).write(to: url) }
        try SamplePipeline().run(in: folder)
        for url in leftovers { #expect(!FileManager.default.fileExists(atPath: url.path)) }
        #expect(try folder.files().allSatisfy { !$0.contains("/.clip-lens-") })
    }

    @Test func aMissingIntermediateArtefactIsNotNeeded() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        try pipeline.run(in: folder)
        try removeArtefact(ofKind: "weights", in: folder)
        #expect(try pipeline.statuses(in: folder) == [.notNeeded, .done, .done])
        let result = try pipeline.run(in: folder)
        #expect(result.outcomes.map(\.status) == [.notNeeded, .reused, .reused])
        let error = #expect(throws: PipelineError.self) { try result.artefact(pipeline.weights) }
        guard case .notComputed("weights", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    // MARK: Forms

    @Test func jsonArtefactsKeepNaNAndInfinity() throws {
        let report = Report(total: -.infinity, text: "é\u{2028}\"")
        #expect(try Report(report.stored()) == report)
        let nan = try Report(Report(total: .nan, text: "").stored())
        #expect(nan.total.isNaN)
    }

    @Test func anArtefactOfTheOtherFormIsAnError() throws {
        let error = #expect(throws: PipelineError.self) { try Report(Sums([1]).stored()) }
        guard case .wrongArtefactForm("json") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(throws: PipelineError.self) { try Sums(Report(total: 1, text: "").stored()) }
    }

    // MARK: Helpers

    private func flipByte(of url: URL) throws {
        var data = try Data(contentsOf: url)
        data[data.count - 2] ^= 1
        try data.write(to: url)
    }

    private func removeArtefact(ofKind kind: String, in folder: TemporaryFolder) throws {
        for path in try folder.files()
        where path.contains("/\(kind)/") && !path.contains("/shards/") {
            try FileManager.default.removeItem(at: folder.url.appendingPathComponent(path))
        }
    }
}
