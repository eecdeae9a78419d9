import Foundation
import Pipeline

/// What the jobs of one step need on the shared file system, until the step is done:
///
///     jobs/<kind>-<key>/spec.yaml        the spec as it was when the jobs were submitted
///                       shards.sh        finish.sh
///                       logs/<job>_<task>.log
///                       failures/…       left by tasks that failed for good
struct JobFolder {
    let url: URL

    init(results: URL, kind: String, key: StepKey) {
        url = results.appendingPathComponent("jobs/\(kind)-\(key.digest.prefix(12))", isDirectory: true)
    }

    var spec: URL { url.appendingPathComponent("spec.yaml") }
    var logs: URL { url.appendingPathComponent("logs", isDirectory: true) }
    var failures: URL { url.appendingPathComponent("failures", isDirectory: true) }

    func script(_ role: JobRole) -> URL { url.appendingPathComponent("\(role.rawValue).sh") }

    func log(job: String, task: Int) -> URL { logs.appendingPathComponent("\(job)_\(task).log") }

    /// - Throws: `PipelineError.saveFailed`.
    func make() throws {
        for folder in [logs, failures] { try Self.makeFolder(folder) }
    }

    private static func makeFolder(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw PipelineError.saveFailed(path: folder.path, errno: errno, freeBytes: DurableFile.freeBytes(at: folder))
        }
    }

    /// The failure of the first task that failed for good; nil where none did.
    func failure() -> (failure: TaskFailure, name: String)? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: failures.path)) ?? []
        for name in names.sorted() where name.hasSuffix(".json") && !name.hasPrefix(".") {
            guard let data = try? readFile(at: failures.appendingPathComponent(name), limit: 1 << 20),
                let failure = try? JSONDecoder().decode(TaskFailure.self, from: data)
            else { continue }
            return (failure, name)
        }
        return nil
    }

    /// The log of the task that left a failure of this name; nil where there is none.
    func log(of failure: String) -> URL? {
        let task = failure.hasPrefix("shards-") ? Int(failure.dropFirst("shards-".count).prefix { $0 != "." }) : 0
        return latestLog { $0.hasSuffix("_\(task ?? 0).log") }
    }

    /// The log of the latest job, among those of some names.
    func latestLog(_ isWanted: (String) -> Bool) -> URL? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: logs.path)) ?? []
        func job(_ name: String) -> Int { Int(name.prefix { $0 != "_" }) ?? 0 }
        return names.filter(isWanted).max { job($0) < job($1) }.map(logs.appendingPathComponent)
    }

    /// Forgets what tasks of an earlier submission said.
    func clearFailures() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: failures.path)) ?? [] {
            try? FileManager.default.removeItem(at: failures.appendingPathComponent(name))
        }
    }

    /// The end of a log, at most so many lines.
    static func lastLines(_ log: URL, _ count: Int = 10) -> [String] {
        guard let file = try? FileHandle(forReadingFrom: log), let size = try? file.seekToEnd() else { return [] }
        defer { try? file.close() }
        try? file.seek(toOffset: size > 8192 ? size - 8192 : 0)
        let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).suffix(count).map(String.init)
    }

    /// Nothing of it is needed once the step is done.
    func remove() {
        try? FileManager.default.removeItem(at: url)
        // The last one takes the folder of folders with it.
        rmdir(url.deletingLastPathComponent().path)
    }
}
