import Foundation
import Foundations
import Pipeline

/// What the jobs of one step need on the shared file system, until the step is done:
///
///     jobs/<kind>-<key>/spec.yaml        the spec as it was when the jobs were submitted
///                       shards.sh        finish.sh
///                       logs/<job>_<task>.log
///                       failures/…       left by tasks that failed for good
struct JobFolder {
    private let folder: OutputFolder
    private let logFolder: OutputFolder
    private let failureFolder: OutputFolder

    init(results: URL, kind: String, key: StepKey) {
        folder = OutputFolder(results).folder("jobs/\(kind)-\(key.digest.prefix(12))")
        (logFolder, failureFolder) = (folder.folder("logs"), folder.folder("failures"))
    }

    var logs: URL { logFolder.url }
    var failures: URL { failureFolder.url }

    func log(job: String, task: Int) -> URL { logFolder.file("\(job)_\(task).log") }

    private static let specName = "spec.yaml"
    var spec: URL { folder.file(Self.specName) }

    /// Makes the folders and keeps the spec's text.
    /// - Throws: `OutputError`.
    func make(for spec: SpecDocument) throws {
        for folder in [logFolder, failureFolder] { try folder.make() }
        try folder.write(Data(spec.text.utf8), as: Self.specName)
    }

    /// - Returns: the file of the script.
    /// - Throws: `OutputError`.
    func write(script text: String, _ role: JobRole) throws -> URL {
        let name = "\(role.rawValue).sh"
        try folder.write(Data(text.utf8), as: name)
        return folder.file(name)
    }

    /// The failure of the first task that failed for good; nil where none did.
    func failure() -> (failure: TaskFailure, name: String)? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: failures.path)) ?? []
        for name in names.sorted() where name.hasSuffix(".json") && !name.hasPrefix(".") {
            guard let data = try? RegularFile.contents(of: failureFolder.file(name).path, limit: 1 << 20),
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
        return names.filter(isWanted).max { job($0) < job($1) }.map(logFolder.file)
    }

    /// Forgets what tasks of an earlier submission said.
    func clearFailures() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: failures.path)) ?? [] {
            try? failureFolder.remove(name)
        }
    }

    /// The end of a log, at most so many lines.
    static func lastLines(_ log: URL, _ count: Int = 10) -> [String] {
        guard let file = try? RegularFile(log.path) else { return [] }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let read = bytes.withUnsafeMutableBytes { bytes in
            try? file.read(into: bytes, at: max(0, file.size - bytes.count))
        }
        let text = String(decoding: bytes.prefix(read ?? 0), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).suffix(count).map(String.init)
    }

    /// Nothing of it is needed once the step is done.
    func remove() {
        try? folder.remove()
        // The last one takes the folder of folders with it.
        rmdir(folder.url.deletingLastPathComponent().path)
    }
}
