import Foundation
import Pipeline
import Testing

@testable import Slurm

@Suite struct JobFolderTests {
    private func folder() throws -> JobFolder {
        let results = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let key = try JSONDecoder().decode(StepKey.self, from: Data("\"\(String(repeating: "b", count: 64))\"".utf8))
        let folder = JobFolder(results: results, kind: "sum", key: key)
        try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
        try folder.make(for: SpecDocument(text: "experiment: x", path: "x.yaml"))
        return folder
    }

    @Test func theFirstFailureIsFoundWithItsLatestLog() throws {
        let folder = try folder()
        defer { folder.remove() }
        #expect(folder.failure()?.name == nil)
        for task in [11, 2] {
            let failure = TaskFailure(code: 65, message: "task \(task)", fix: nil, host: "n1")
            try JSONEncoder().encode(failure).write(
                to: folder.failures.appendingPathComponent("shards-000000\(task < 10 ? "0" : "")\(task).json"))
        }
        try Data("{".utf8).write(to: folder.failures.appendingPathComponent("shards-00000001.json"))
        for log in ["9_2.log", "10_2.log", "10_11.log"] {
            try Data("x".utf8).write(to: folder.logs.appendingPathComponent(log))
        }
        let found = try #require(folder.failure())
        #expect(found.failure.message == "task 2")
        #expect(folder.log(of: found.name)?.lastPathComponent == "10_2.log")
        folder.clearFailures()
        #expect(folder.failure()?.name == nil)
    }

    @Test func theEndOfALogIsFewLines() throws {
        let folder = try folder()
        defer { folder.remove() }
        let log = folder.log(job: "1", task: 0)
        try Data((0..<5000).map { "line \($0)\n" }.joined().utf8).write(to: log)
        #expect(JobFolder.lastLines(log, 3) == ["line 4997", "line 4998", "line 4999"])
        #expect(JobFolder.lastLines(folder.log(job: "2", task: 0)) == [])
    }
}
