import Foundation
import Pipeline
import Testing

@testable import Inputs
@testable import Results

/// The committed specs of the embedded world on 96 images of each set, from nothing, as a user runs them. Samples that need more
/// images, or minutes, are smaller than the specs have them; nothing else is changed.
///
/// `Fixtures/golden` has the rows of each as the program wrote them, and the kernels that made them. A number that moves
/// fails here; where that is meant, `CLIP_LENS_RECORD=1` writes them anew, and the change is seen in review.
@Suite struct GoldenRunTests {
    static let specs = [
        "adversarial-search", "concept-discovery", "explainability", "first-order", "indirect-effect", "mean-ablation",
        "multi-label-recognition", "open-vocabulary-segmentation", "segmentation", "sparse-text",
    ]

    private static let smaller = [
        ("significant-images: 100", "significant-images: 10"),
        // Where it is left out it is 100.
        ("second-order: {", "significant-images: 10\nsecond-order: {"),
        ("indirect-sample: {neurons: 64, images: 500}", "indirect-sample: {neurons: 2, images: 48}"),
        // Of the search, which reads neurons whose indirect effects are sampled.
        ("neurons: 100\nneuron-layers: [0, 1, 2]", "neurons: 6\nneuron-layers: [0, 1, 2]"),
        ("images-each: 10", "images-each: 2"), ("repeats: [3, 20]", "repeats: [2, 3]"),
        ("sizes: [4, 8, 16, 32, 64, 128]", "sizes: [4, 16, 32]"),
        ("neurons: [5, 10, 20, 50, 100, 200]", "neurons: [5, 20, 100]"),
        ("thresholds: [0.3, 0.4, 0.5, 0.6, 0.7]", "thresholds: [0.3, 0.5]"),
        ("depths: [1, 2, 3, 4, 5, 6], input-sizes: [64, 96, 128]", "depths: [1, 6], input-sizes: [64, 96]"),
        ("templates: clip-surgery-85", "templates: openai-simple-7"),
    ]

    private static let golden = RunnerProcess.repository.appendingPathComponent("Tests/RunnerTests/Fixtures/golden")

    private struct Finished {
        let folder: URL
        /// As the head of docs/results.md names them.
        let kernels: String
    }

    /// One run of all of them for every test.
    private static let finished = Result {
        let committed = RunnerProcess.repository.appendingPathComponent("experiments/emoji")
        let files = try FileManager.default.contentsOfDirectory(atPath: committed.path).sorted()
        #expect(files == specs.map { "\($0).yaml" })
        let texts = try files.map { try String(contentsOf: committed.appendingPathComponent($0), encoding: .utf8) }
        for (setting, _) in smaller { #expect(texts.contains { $0.contains(setting) }, "no spec has \(setting)") }
        let study = try SmallStudy(
            Dictionary(
                uniqueKeysWithValues: zip(
                    files, texts.map { text in smaller.reduce(text) { $0.replacing($1.0, with: $1.1) } })))
        // The kernels that most machines have, whatever this one would choose.
        let output = try RunnerProcess.start(
            study.arguments([], ["--jobs", "2"]),
            environment: ["OPENBLAS_CORETYPE": "Haswell", "CLIP_LENS_LINEAR": "openblas"]
        ).wait()
        #expect(output.status == 0, "\(output.errors)")
        let folder = study.results
        let document = try ResultsDocument(
            ResultsDatabase(readingFrom: folder.appendingPathComponent("results.sqlite")), introduction: "")
        let named = try #require(
            document.text.split(separator: "\n").first { $0.hasPrefix(ResultsDocument.kernels) }.map(String.init))
        // Loops of our own are chosen by the CPU, whatever the libraries are told.
        let cpu = FileHandle(forReadingAtPath: "/proc/cpuinfo")?.readDataToEndOfFile() ?? Data()
        let kernels = named + (String(decoding: cpu, as: UTF8.self).contains(" avx512f") ? " Loops by AVX-512." : "")
        if ProcessInfo.processInfo.environment["CLIP_LENS_RECORD"] == "1" {
            try FileManager.default.createDirectory(at: golden, withIntermediateDirectories: true)
            for spec in specs {
                try Data(contentsOf: folder.appendingPathComponent("\(spec).csv")).write(
                    to: golden.appendingPathComponent("\(spec).csv"))
            }
            try Data((kernels + "\n").utf8).write(to: golden.appendingPathComponent("kernels.txt"))
        }
        return Finished(folder: folder, kernels: kernels)
    }

    /// Rows of a CSV file by the names of its columns.
    private func rows(_ spec: String, in folder: URL) throws -> [[String: String]] {
        let url = folder.appendingPathComponent("\(spec).csv")
        var lines = try CSVRows(String(contentsOf: url, encoding: .utf8), path: url.path).rows.map(\.fields)
        let columns = lines.removeFirst()
        return lines.map { Dictionary(uniqueKeysWithValues: zip(columns, $0)) }
    }

    /// What is measured; all other columns say of what, and how.
    private static let measured: Set = ["value", "ci_lower", "ci_upper"]

    /// What may also hang on kernels where two are nearly alike: of how many images something is said, and notes.
    private static let near: Set = ["n", "skipped", "note"]

    /// - Returns: whether numbers are the same but for the order of their sums: to four digits, or 10⁻⁶ where they are small.
    private static func isSame(_ expected: String, _ found: String) -> Bool {
        guard expected != found else { return true }
        guard let first = Double(expected), let second = Double(found) else { return false }
        return abs(first - second) <= 1e-4 * max(abs(first), 0.01)
    }

    /// A column that was added since says nothing against the others. Of other kernels only what rows there are, with their
    /// status and verdict: among 96 images a near tie that turns is one in a hundred.
    @Test(arguments: specs) func rowsAreThoseThatWereRecorded(spec: String) throws {
        let run = try Self.finished.get()
        let kernels = try String(contentsOf: Self.golden.appendingPathComponent("kernels.txt"), encoding: .utf8)
        let (expected, found) = (try rows(spec, in: Self.golden), try rows(spec, in: run.folder))
        #expect(expected.count == found.count)
        let ignored = kernels == run.kernels + "\n" ? [] : Self.measured.union(Self.near)
        for (index, (expected, found)) in zip(expected, found).enumerated() {
            let differing = expected.filter { column, text in
                guard !ignored.contains(column) else { return false }
                return Self.measured.contains(column)
                    ? !Self.isSame(text, found[column] ?? "") : text != found[column]
            }
            #expect(
                differing.isEmpty,
                "row \(index + 1): \(differing.map { "\($0.key) was \($0.value), is \(found[$0.key] ?? "no column")" })"
            )
        }
    }

    /// What a table or a figure names is measured under that very name.
    @Test func everyCellHasItsNumber() throws {
        let folder = try Self.finished.get().folder
        let database = try ResultsDatabase(readingFrom: folder.appendingPathComponent("results.sqlite"))
        let runs = try database.latestRuns()
        #expect(runs.count == Self.specs.count)
        for run in runs {
            let metrics = MetricLookup(try database.metrics(of: run))
            func expectNumber(_ name: String, _ subject: Subject, _ title: String) {
                #expect(metrics[name, subject] != nil, "\(title): no \(name) of \(subject.columns.map(\.value))")
            }
            for table in try database.layouts(of: run) {
                for case .metric(let name, let subject, _) in table.rows.flatMap(\.cells) {
                    expectNumber(name, subject, table.title)
                }
            }
            for attachment in try database.attachments(of: run) where attachment.name == Attachment.figures {
                let figures = try ArtefactJSON.decode(
                    [FigureLayout].self, from: Data(contentsOf: folder.appendingPathComponent(attachment.file)))
                for figure in figures {
                    for curve in figure.curves + (figure.reference.map { [$0] } ?? []) {
                        for case .metric(let name, let subject) in curve.points.map(\.y) {
                            expectNumber(name, subject, figure.title)
                        }
                    }
                }
            }
        }
    }
}
