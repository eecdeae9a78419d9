import Foundation
import Foundations
import Pipeline
import Results
import Testing
import TestSupport

/// `runner compare` as a user starts it.
@Suite struct CompareRunTests {
    let folder: URL

    init() throws { folder = try ProcessFolder.make() }

    /// A results folder with one run.
    @discardableResult
    private func results(_ name: String, accuracy: Double, commit: String = "0123abcd") throws -> URL {
        let url = folder.appendingPathComponent(name, isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let database = try ResultsDatabase(writingTo: url.appendingPathComponent("results.sqlite"))
        let run = try database.begin(
            RunDescription(
                experiment: "mean-ablation", spec: SpecDocument(text: "a: 1\n", path: "experiments/mean-ablation.yaml"),
                commit: commit,
                isDirty: false, blasCore: "Haswell", blasThreads: 1, versions: [:], isPartial: false))
        try database.end(
            run, as: .done,
            rows: RunRows(metrics: [
                Metric(
                    experiment: "mean-ablation", world: "emoji", model: "m", dataset: "val",
                    subject: ["condition": "baseline"],
                    name: "accuracy", value: accuracy, unit: "share", n: 100)
            ]))
        try database.writeSnapshot(to: OutputFolder(url), as: "results-snapshot.sqlite")
        try database.close()
        return url
    }

    @Test func exitCodesSayWhatCameOut() throws {
        let (base, same, other) = (
            try results("base", accuracy: 0.5), try results("same", accuracy: 0.5),
            try results("other", accuracy: 0.625)
        )
        let before = try Data(contentsOf: base.appendingPathComponent("results-snapshot.sqlite"))
        let equal = try RunnerProcess.run(["compare", base.path, same.path])
        #expect(
            equal.status == 0 && equal.text.contains("1 numbers compared, 0 differ"), "\(equal.text)\(equal.errors)")
        let differs = try RunnerProcess.run(["compare", base.path, other.appendingPathComponent("results.sqlite").path])
        #expect(
            differs.status == 1 && differs.text.contains("+12.500") && differs.text.contains("better"),
            "\(differs.text)")
        let tolerated = try RunnerProcess.run(["compare", base.path, other.path, "--tolerance", "0.2"])
        #expect(tolerated.status == 0)
        let markdown = try RunnerProcess.run(["compare", base.path, other.path, "--format", "markdown"])
        #expect(markdown.status == 1 && markdown.text.contains("### mean-ablation"))
        // Nothing is changed by being compared.
        #expect(try Data(contentsOf: base.appendingPathComponent("results-snapshot.sqlite")) == before)
        let empty = try results("empty", accuracy: .nan)
        let nothing = try RunnerProcess.run(["compare", base.path, empty.path])
        #expect(nothing.status == 2 && nothing.text.contains("not comparable: head has no value"), "\(nothing.text)")
    }

    @Test func twoCommitsInsideOneFile() throws {
        let url = try results("both", accuracy: 0.5, commit: "aaaa1111")
        try results("both", accuracy: 0.75, commit: "bbbb2222")
        let run = try RunnerProcess.run(["compare", "aaaa", "bbbb2222", "--results", url.path])
        #expect(
            run.status == 1 && run.text.contains("aaaa1111") && run.text.contains("+25.000"), "\(run.text)\(run.errors)"
        )
        let missing = try RunnerProcess.run(["compare", "aaaa", "cccc", "--results", url.path])
        #expect(missing.status == 66 && missing.errors.contains("cccc"), "\(missing.errors)")
    }

    @Test func whatIsNoResultsIsSaid() throws {
        let url = try results("base", accuracy: 0.5)
        let text = folder.appendingPathComponent("notes.txt")
        try Data("not a database, by far and large enough to look at".utf8).write(to: text)
        for (side, status, words) in [
            ("no-such", Int32(66), "not found, and no commit"), (text.path, 65, "notes.txt"),
            (folder.path, 66, "there are no results"), ("", 64, "name"),
        ] {
            let run = try RunnerProcess.run(["compare", url.path, side])
            #expect(run.status == status && run.errors.contains(words), "\(side): \(run.status) \(run.errors)")
        }
    }
}
