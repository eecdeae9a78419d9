import CLIPModel
import DenseMath
import Experiments
import Foundation
import Foundations
import Pipeline
import Results

/// Where a run's rows stand.
struct ResultFiles {
    let database: URL
    let metrics: URL
    let predictions: URL
    private let folder: OutputFolder
    /// Name of the spec's file where it begins with the experiment's, else the experiment's.
    let name: String

    init(folder: OutputFolder, experiment: String, spec: SpecDocument) {
        // A world may have two specs of one experiment: segmentation.yaml and segmentation-aligned.yaml.
        name = spec.name.hasPrefix(experiment) ? spec.name : experiment
        database = Self.database(in: folder.url)
        metrics = folder.file("\(name).csv")
        predictions = folder.file("\(name)-predictions.csv")
        self.folder = folder
    }

    static func database(in folder: URL) -> URL { folder.appendingPathComponent("results.sqlite") }

    /// A copy of the database in one file, for sharing: the database itself may have rows in its journal.
    static let snapshotName = "results-snapshot.sqlite"
    static func snapshot(in folder: URL) -> URL { folder.appendingPathComponent(snapshotName) }

    /// What was found out about models and data sets.
    static func inputs(in folder: URL) -> OutputFolder { OutputFolder(folder).folder("cache/inputs") }

    func attachment(_ attachment: Attachment) -> URL { folder.file("\(name)-\(attachment.name)") }

    /// Writes the files of the run that is about to be shown.
    /// - Returns: those of its attachments.
    func write(_ report: ExperimentReport) throws -> [StoredAttachment] {
        try CSVExport.write(report.metrics, to: folder, as: metrics.lastPathComponent)
        if !report.predictions.isEmpty {
            try CSVExport.write(report.predictions, to: folder, as: predictions.lastPathComponent)
        }
        return try report.attachments.map { try CSVExport.write($0, to: folder, as: attachment($0).lastPathComponent) }
    }
}

extension ResultsFolder {
    /// Opens the folder for writing, and says whom it waits for and who worked there before without signing off.
    /// - Parameter path: as it was given.
    /// - Throws: `OutputError`; `PipelineError.lockHeld`, `.interrupted`.
    convenience init(named path: String, lockTimeout: Duration = .seconds(10), _ cancellation: Cancellation) throws {
        try self.init(
            URL(fileURLWithPath: path, isDirectory: true), lockTimeout: lockTimeout, cancellation: cancellation
        ) { holder in
            let who = holder.map { "process \($0.pid)" } ?? "another process"
            Console.tell("waiting for \(who), which works in \(path)\n")
        } unsigned: { former in
            Console.tell(
                "warning: \(path)/.lock: process \(former.pid) on \(former.host) worked here and did not sign off; if it still runs, "
                    + "this file system keeps locks to each node: stop one of the two\n")
        }
    }
}

extension ExperimentReport {
    /// Says in every row that it must not be trusted, so that it is said wherever the row goes.
    mutating func markUntrusted() {
        guard !failedControls.isEmpty else { return }
        for index in metrics.indices {
            metrics[index].note = ["untrusted: \(failedControls.words)", metrics[index].note].compactMap { $0 }.joined(
                separator: "; ")
        }
    }
}

extension URL {
    /// The path as a person in the current folder would write it.
    var relativePath: String {
        let current = FileManager.default.currentDirectoryPath + "/"
        return path.hasPrefix(current) ? String(path.dropFirst(current.count)) : path
    }
}

extension RunDescription {
    /// What is known of a run before it starts.
    init(spec: SpecDocument, experiment: any Experiment, isPartial: Bool) {
        let git = GitState.current()
        self.init(
            experiment: type(of: experiment).name, spec: spec, commit: git?.commit, isDirty: git?.isDirty ?? false,
            blasCore: BLAS.coreName, blasThreads: BLAS.threads,
            versions: [
                "linear layers": LinearLibrary.current.description, "openblas": BLAS.description,
                "system": ProcessInfo.processInfo.operatingSystemVersionString,
            ],
            isPartial: isPartial)
    }
}

/// The commit of a folder.
struct GitState {
    let commit: String
    let isDirty: Bool

    /// Nil outside a repository or without git.
    /// - Parameter folder: nil for the working folder.
    static func current(in folder: URL? = nil) -> GitState? {
        let place = folder.map { ["-C", $0.path] } ?? []
        guard let commit = git(place + ["rev-parse", "HEAD"]), let status = git(place + ["status", "--porcelain"])
        else { return nil }
        return GitState(commit: commit, isDirty: !status.isEmpty)
    }

    private static func git(_ arguments: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // The working folder's own configuration starts no program for a look at it.
        process.arguments =
            ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// The one JSON document that `runner run --json` prints, also when it fails.
struct RunDocument: Encodable {
    /// `done`, `untrusted` or `failed`.
    let state: String
    let rows: [Metric]
    let claims: [ClaimVerdict]
    let error: String?
    let fix: String?

    /// The document and a line feed.
    func text() throws -> String { String(decoding: try ArtefactJSON.encode(self), as: UTF8.self) + "\n" }
}
