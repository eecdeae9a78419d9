import Foundation
import TestSupport

/// The built `runner`, started as a user starts it.
struct RunnerProcess {
    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Beside the test bundle, where SwiftPM puts both.
    static let executable = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("runner")

    struct Output {
        let status: Int32
        let text: String
        let errors: String
    }

    /// Runs to the end, in the repository's folder.
    @discardableResult
    static func run(_ arguments: [String], executable: URL = executable) throws -> Output {
        try start(arguments, executable: executable).wait()
    }

    /// - Parameter environment: added to that of this process.
    static func start(
        _ arguments: [String], executable: URL = executable, environment: [String: String] = [:]
    ) throws -> Running {
        let process = Process()
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = repository
        let folder = try ProcessFolder.make()
        let (output, errors) = (folder.appendingPathComponent("out"), folder.appendingPathComponent("err"))
        // Files instead of pipes: a process that is killed leaves no reader waiting.
        try Data().write(to: output)
        try Data().write(to: errors)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        return Running(process: process, output: output, errors: errors)
    }

    struct Running {
        let process: Process
        let output: URL
        let errors: URL

        func wait() throws -> Output {
            process.waitUntilExit()
            return Output(
                status: process.terminationStatus, text: try String(contentsOf: output, encoding: .utf8),
                errors: try String(contentsOf: errors, encoding: .utf8))
        }
    }

}

/// A small run of the real experiment on the real model: seconds instead of minutes, with many shards.
struct SmallRun {
    let folder: URL
    let spec: URL
    /// Whether the spec may start programs and send texts.
    var isAllowed = false
    var results: URL { folder.appendingPathComponent("results") }

    static let text = """
        experiment: mean-ablation
        world: emoji
        model: emoji-clip
        fit: {dataset: emoji-scenes, split: fit}
        evaluation: {dataset: emoji-scenes, split: val}
        significant-images: 10
        indirect-sample: {neurons: 1, images: 32}
        images-per-shard: 16
        seed: 0
        controls: {accuracy-floor: 0.3}
        """

    init(_ text: String = text) throws {
        folder = try ProcessFolder.make()
        spec = folder.appendingPathComponent("spec.yaml")
        try Data(text.utf8).write(to: spec)
    }

    func arguments(_ extra: [String] = []) -> [String] {
        ["--spec", spec.path, "--results", results.path, "--limit", "96"] + (isAllowed ? ["--allow-commands"] : [])
            + extra
    }
}
