import Foundation
import Inputs
import Testing

/// The experiments on texts, concepts and maps as a user runs them.
@Suite(.serialized) struct ExperimentRunTests {
    static let texts = [
        "sparse.yaml": SmallSpecs.sparseText, "segmentation.yaml": SmallSpecs.segmentation,
        "concepts.yaml": SmallSpecs.conceptDiscovery,
    ]

    struct Finished {
        let study: SmallStudy
        let output: RunnerProcess.Output
    }

    /// One run of all three for every test.
    static let finished = Result {
        let study = try SmallStudy(texts)
        let output = try RunnerProcess.run(study.arguments([], ["--jobs", "2"]))
        #expect(output.status == 0, "\(output.errors)")
        return Finished(study: study, output: output)
    }

    /// A list without its header; no field of these lists has a line break.
    func rows(_ name: String) throws -> (header: [Substring], lines: [Substring]) {
        let text = try String(contentsOf: Self.finished.get().study.file(name), encoding: .utf8)
        let lines = text.split(separator: "\r\n")
        return (try #require(lines.first).split(separator: ","), Array(lines.dropFirst()))
    }

    @Test func tablesArePrintedInTheOrderOfThePaper() throws {
        let lines = try Self.finished.get().output.text.split(separator: "\n")
        let titles = lines.filter { $0.hasSuffix("images only") }
        let beginnings = [
            "Figure 4", "Faithfulness", "Polysemy", "Tables 2 and 5", "Table 4 (%)", "Table 4 with the older rule",
            "Beyond the paper (%)",
            "Beyond the paper: mAP", "Beyond the paper: mIoU", "Appendix A.5",
        ]
        #expect(titles.count == beginnings.count, "\(titles)")
        for (title, beginning) in zip(titles, beginnings) { #expect(title.hasPrefix(beginning)) }
        // A dash stands where a layout names a metric that there is none of: here a method that the paper has not, and what
        // is possible at best, thrice.
        #expect(
            lines.filter { $0.split(separator: " ").contains("–") }.map { $0.prefix(13) } == [
                "LeGrad       ", "random neuron", "best possible",
            ])
    }

    @Test func listsHaveARowForEachNeuronAndImage() throws {
        let neurons = try rows("sparse-text-neurons.csv")
        #expect(neurons.header.prefix(2) == ["pool", "layer"] && neurons.lines.count == 2 * 2 * 768)
        #expect(neurons.lines.allSatisfy { $0.contains(",\"[") && $0.hasSuffix("]\"") })
        let scenes = try rows("concept-discovery-images.csv")
        #expect(scenes.lines.count == 48 && scenes.lines.first?.hasPrefix("emoji-scenes/val/0,") == true)
        let maps = try rows("segmentation-images.csv")
        #expect(maps.lines.count == 96 && maps.header.count == 21)
        #expect(maps.lines.allSatisfy { $0.split(separator: ",").count == 21 })
    }

    @Test(arguments: ["sparse-text", "segmentation", "concept-discovery"])
    func whatImagesAddMakesTheNumber(experiment: String) throws {
        // Of the grid of settings, much larger than the table, only sums are kept.
        try StoredTerms.check(
            Self.finished.get().study, experiment,
            without: experiment == "segmentation" ? ["pixel-accuracy", "mean-iou"] : [])
    }

    /// What the run printed last, from the database: as text, Markdown, CSV and JSON; and all tables.
    @Test func theLedgerIsPrintedAgain() throws {
        let (study, printed) = (try Self.finished.get().study, try Self.finished.get().output.text)
        let place = [
            "--results", study.results.path, "--manifest",
            RunnerProcess.repository.appendingPathComponent("datasets.manifest").path,
        ]
        func claims(_ format: String) throws -> RunnerProcess.Output {
            try RunnerProcess.run(["claims", "--format", format] + place)
        }
        let text = try claims("text")
        #expect(text.status == 0 && text.text.contains("What the papers claim, and what of it stands here — PARTIAL"))
        // Also the claims of experiments that were not run, which the run itself leaves out.
        #expect(text.text.contains("multi-label-recognition was not run") && !printed.contains("was not run"))
        #expect(printed.contains("neurons are polysemous") && text.text.contains("neurons are polysemous"))
        #expect(try claims("markdown").text.contains("| neurons are polysemous"))
        #expect(try claims("csv").text.split(whereSeparator: \.isNewline).count == 22)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(claims("json").text.utf8)) as? [String: [[String: Any]]])
        #expect(object["claims"]?.count == 21)
        #expect(try claims("html").status == 64)

        let tables = try RunnerProcess.run(["tables"] + place)
        #expect(
            tables.status == 0 && tables.text.contains("## sparse-text")
                && tables.text.contains("**Table 4 (%): zero-shot segmentation"))
        let document = study.results.appendingPathComponent("tables.md")
        defer { try? FileManager.default.removeItem(at: document) }
        try Data(tables.text.utf8).write(to: document)
        #expect(try RunnerProcess.run(["tables", "--check", document.path] + place).status == 0)
        try Data(tables.text.replacing("Polysemy", with: "Polysemia").utf8).write(to: document)
        let other = try RunnerProcess.run(["tables", "--check", document.path] + place)
        #expect(
            other.status == 1 && other.text.contains("− **Polysemia") && other.errors.contains("1 lines differ"),
            "\(other.errors)")
    }

    @Test func picturesDecode() throws {
        let study = try Self.finished.get().study
        let overlays = try RGBImage(contentsOf: study.file("segmentation-overlays.png"))
        // Two rows of image, mask, eight methods and an absent class, each of 64 pixels twice as large.
        #expect(overlays.width >= 11 * 128 && overlays.height >= 2 * 128 && overlays.height < 4 * 128)
        #expect(Set(overlays.pixels).count > 100)
        let scenes = try RGBImage(contentsOf: study.file("concept-discovery-gallery.png"))
        #expect(scenes.width >= 6 * 256 && scenes.height >= 4 * 256)
        #expect(Set(scenes.pixels).count > 100)
    }

    @Test func aSecondCallComputesNothingAndSaysTheSame() throws {
        let finished = try Self.finished.get()
        let before = try finished.study.files()
        let again = try RunnerProcess.run(finished.study.arguments([], ["--jobs", "1"]))
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.text.components(separatedBy: "Nothing to compute").count == 4)
        func withoutWork(_ text: String) -> [Substring] {
            text.split(separator: "\n").filter { !$0.hasPrefix("Computed") && !$0.hasPrefix("Nothing to compute") }
        }
        #expect(withoutWork(again.text) == withoutWork(finished.output.text))
        #expect(try finished.study.files() == before)
    }

    @Test func workersDoNotChangeAByte() throws {
        let two = try Self.finished.get().study.files()
        #expect(two.count == 10)
        let study = try SmallStudy(Self.texts)
        let output = try RunnerProcess.run(study.arguments(["sparse.yaml", "concepts.yaml"], ["--jobs", "1"]))
        #expect(output.status == 0, "\(output.errors)")
        let one = try study.files()
        #expect(one.count == 6)
        for (name, data) in one { #expect(two[name] == data, "\(name) differs") }
    }

    /// By one worker, where the run that it is compared with had two.
    @Test func aRunKilledInSegmentationEndsWithTheSameBytes() throws {
        let study = try SmallStudy(["segmentation.yaml": SmallSpecs.segmentation])
        /// Manifests of stored shards; the step's own is not among them.
        func shards() -> Int {
            let found =
                FileManager.default.enumerator(atPath: study.file("cache/segmentation").path)?.compactMap {
                    $0 as? String
                } ?? []
            return found.count {
                $0.contains("/shards/") && $0.hasSuffix(".manifest.json") && !$0.contains("/.clip-lens-")
            }
        }
        var isKilledInTheMiddle = false
        for _ in 0..<5 where !isKilledInTheMiddle {
            let running = try RunnerProcess.start(study.arguments([], ["--jobs", "1"]))
            let deadline = Date(timeIntervalSinceNow: 120)
            while running.process.isRunning, Date() < deadline, shards() == 0 { Thread.sleep(forTimeInterval: 0.001) }
            kill(running.process.processIdentifier, SIGKILL)
            running.process.waitUntilExit()
            // One of two shards, so that the rest has to be made by another process.
            isKilledInTheMiddle = shards() == 1
            if !isKilledInTheMiddle { try? FileManager.default.removeItem(at: study.file("cache/segmentation")) }
        }
        #expect(isKilledInTheMiddle, "the step was over before it could be killed")
        #expect(!FileManager.default.fileExists(atPath: study.file("segmentation.csv").path))
        let output = try RunnerProcess.run(study.arguments([], ["--jobs", "1"]))
        #expect(output.status == 0, "\(output.errors)")
        let undisturbed = try Self.finished.get().study
        for name in [
            "segmentation.csv", "segmentation-predictions.csv", "segmentation-images.csv", "segmentation-overlays.png",
        ] {
            #expect(
                try Data(contentsOf: study.file(name)) == Data(contentsOf: undisturbed.file(name)), "\(name) differs")
        }
    }
}
