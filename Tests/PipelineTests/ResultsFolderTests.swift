import Foundation
import Foundations
import TestSupport
import Testing

@testable import Pipeline

@Suite struct ResultsFolderTests {
    @Test func aHeldLockNamesItsHolder() throws {
        let folder = try TemporaryFolder()
        let first = try ResultsFolder(folder.url)
        var announced: ProcessIdentity?
        let error = #expect(throws: PipelineError.self) {
            try ResultsFolder(folder.url, lockTimeout: .milliseconds(100)) { announced = $0 }
        }
        guard case .lockHeld(let path, let holder, let waited) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.hasSuffix("/.lock"))
        #expect(holder == .current && announced == .current)
        #expect(waited >= .milliseconds(100))
        withExtendedLifetime(first) {}
    }

    @Test func theLockEndsWithItsOwner() throws {
        let folder = try TemporaryFolder()
        for _ in 0..<3 { _ = try ResultsFolder(folder.url, lockTimeout: .zero) }
    }

    /// The next runner would lock another file and work beside this one.
    @Test func aLockThatIsRemovedIsMissed() throws {
        let folder = try TemporaryFolder()
        let first = try ResultsFolder(folder.url)
        try first.check()
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent(".lock"))
        guard case .lockLost(_, true, _)? = #expect(throws: PipelineError.self, performing: { try first.check() })
        else {
            Issue.record("not missed")
            return
        }
        let second = try ResultsFolder(folder.url, lockTimeout: .zero)
        try second.check()
        #expect(throws: PipelineError.self) { try first.check() }
        withExtendedLifetime(first) {}
        // The first one's end does not sign the second off.
        #expect(throws: PipelineError.self) { try ResultsFolder(folder.url, lockTimeout: .zero) }
    }

    /// What a host elsewhere says in the lock's file is all that is seen of it where locks do not reach.
    @Test func aHostThatDidNotSignOffIsNamed() throws {
        let folder = try TemporaryFolder()
        let lock = folder.url.appendingPathComponent(".lock")
        func others(_ identity: ProcessIdentity) throws -> ProcessIdentity? {
            try JSONEncoder().encode(identity).write(to: lock)
            var found: ProcessIdentity?
            _ = try ResultsFolder(folder.url, unsigned: { found = $0 })
            return found
        }
        let elsewhere = ProcessIdentity(host: "elsewhere", bootID: "x", pid: 1, startTicks: 1)
        #expect(try others(elsewhere) == elsewhere)
        #expect(
            try others(ProcessIdentity(host: ProcessIdentity.current.host, bootID: "x", pid: 1, startTicks: 1)) == nil)
        var found: ProcessIdentity?
        let last = try ResultsFolder(folder.url, unsigned: { found = $0 })
        #expect(found == nil, "the former holder signed off")

        try JSONEncoder().encode(elsewhere).write(to: lock)
        guard
            case .lockLost(_, false, elsewhere)? = #expect(throws: PipelineError.self, performing: { try last.check() })
        else {
            Issue.record("two hosts at once are not noticed")
            return
        }
        // And once the other has signed off.
        try FileHandle(forWritingTo: lock).truncate(atOffset: 0)
        #expect(throws: PipelineError.self) { try last.check() }
    }

    @Test func linksInTheFolderAreNotFollowed() throws {
        let folder = try TemporaryFolder()
        let victim = folder.url.appendingPathComponent("victim")
        for name in [".lock", ".tasks", "cache"] {
            let results = folder.url.appendingPathComponent("results\(name)")
            try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
            try Data("precious".utf8).write(to: victim)
            try FileManager.default.createSymbolicLink(
                at: results.appendingPathComponent(name), withDestinationURL: victim)
            #expect(throws: OutputError.refused(path: results.appendingPathComponent(name).path, .link)) {
                try ResultsFolder(results)
            }
            #expect(try Data(contentsOf: victim) == Data("precious".utf8))
        }
    }

    @Test func waitingForTheLockCanBeInterrupted() throws {
        let folder = try TemporaryFolder()
        let first = try ResultsFolder(folder.url)
        let cancellation = Cancellation()
        let error = #expect(throws: PipelineError.self) {
            try ResultsFolder(folder.url, lockTimeout: .seconds(60), cancellation: cancellation) {
                _ in
                cancellation.cancel()
            }
        }
        guard case .interrupted = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        withExtendedLifetime(first) {}
    }

    @Test func aFolderThatCannotBeMadeIsFoundBeforeWork() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("file")
        try Data().write(to: file)
        for url in [file, file.appendingPathComponent("results")] {
            let error = #expect(throws: OutputError.self) { try ResultsFolder(url) }
            guard case .cannotWrite(_, ENOTDIR) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write whatever the mode"))
    func aReadOnlyFolderIsFoundBeforeWork() throws {
        let folder = try TemporaryFolder()
        chmod(folder.url.path, 0o555)
        defer { chmod(folder.url.path, 0o755) }
        let error = #expect(throws: OutputError.self) { try ResultsFolder(folder.url) }
        guard case .cannotWrite(_, EACCES) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "needs the right to mount a file system"))
    func aFullDiskIsASaveThatFailedAndCompletesOnceThereIsRoom() throws {
        let disk = try SmallDisk()
        let filler = disk.url.appendingPathComponent("filler")
        let pipeline = try SamplePipeline(units: 4000, unitsPerShard: 4)
        let folder = try ResultsFolder(disk.url, lockTimeout: .zero)
        let executor = Executor(pipeline.graph, in: folder)
        try Data(count: 256 << 10).write(to: filler)

        let error = #expect(throws: (any Error).self) { try executor.run() }
        guard case OutputError.saveFailed(let path, ENOSPC, let free)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(path.contains("/cache/sum/") && !path.contains(".clip-lens-"))
        #expect((free ?? .max) < 64 << 10)

        try FileManager.default.removeItem(at: filler)
        let small = try SamplePipeline(units: 40, unitsPerShard: 4)
        try FileManager.default.removeItem(at: disk.url.appendingPathComponent("cache/sum"))
        #expect(try !Executor(small.graph, in: folder).run().isReused)
    }

    @Test func processesAreToldApart() {
        let current = ProcessIdentity.current
        #expect(current.isRunning == true)
        #expect(current.startTicks > 0)
        let later = ProcessIdentity(
            host: current.host, bootID: current.bootID, pid: current.pid,
            startTicks: current.startTicks + 1)
        #expect(later.isRunning == false, "the id has been given again")
        let before = ProcessIdentity(
            host: current.host, bootID: "another", pid: current.pid, startTicks: current.startTicks)
        #expect(before.isRunning == false)
        let elsewhere = ProcessIdentity(host: "elsewhere", bootID: "x", pid: 1, startTicks: 1)
        #expect(elsewhere.isRunning == nil)
    }
}
