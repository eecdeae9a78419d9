import ArgumentParser
import Foundation
import Inputs

/// `runner verify NAME`: whether the files of a model or data set are there, and are the right ones.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check presence, size and digest of the files of a model or data set.")

    @OptionGroup var options: DownloadOptions
    @Flag(help: "Print one JSON document instead of a table, also on failure.")
    var json = false

    func run() throws {
        let published = try options.published()
        let progress = TransferProgress()
        let checks = try published.check { progress.read($0, $1) }
        progress.end()
        do {
            try checks.requireAll(of: published, fix: published.howToGet)
        } catch var failure as Failure {
            try show(published, checks, failure)
            failure.isDocumented = json
            throw failure
        }
        try show(published, checks, nil)
    }

    private func show(_ published: PublishedFiles, _ checks: [FileCheck], _ failure: Failure?) throws {
        guard json else { return try Console.print(checks.table(title: published.title).rendered()) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = VerifyDocument(
            name: published.name, state: failure == nil ? "done" : "failed",
            files: checks.map(VerifyDocument.File.init), error: failure?.message, fix: failure?.fix)
        try Console.print(String(decoding: try encoder.encode(document), as: UTF8.self) + "\n")
    }
}

/// The one JSON document of `runner verify --json`.
private struct VerifyDocument: Encodable {
    struct File: Encodable {
        let name: String
        let path: String
        let status: String
        let bytes: Int?
        let sha256: String?

        init(_ check: FileCheck) {
            name = check.name
            path = check.path
            status = check.status.word
            bytes = check.bytes
            sha256 = check.sha256
        }
    }

    let name: String
    /// `done` or `failed`.
    let state: String
    let files: [File]
    let error: String?
    let fix: String?
}
