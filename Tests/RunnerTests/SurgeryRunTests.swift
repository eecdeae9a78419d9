import Foundation
import Inputs
import Pipeline
import Results
import Testing

/// The three experiments on CLIP Surgery on the embedded world, as a user runs them.
@Suite(.serialized) struct SurgeryRunTests {
    private static let setting = """
        world: emoji
        model: emoji-clip
        seed: 0
        controls: {accuracy-floor: 0.3}

        """

    static let explainability =
        setting + """
            experiment: explainability
            evaluation: {dataset: emoji-scenes, split: seg}
            fit: {dataset: emoji-scenes, split: fit}
            layers: [0, 2]
            significant-images: 10
            second-order: {neurons: 5, layers: [2]}
            overlays: 2
            sensitivity: {images: 4, depths: [6, 1], input-sizes: [96], templates: openai-simple-7}
            """

    static let segmentation =
        setting + """
            experiment: open-vocabulary-segmentation
            evaluation: {dataset: emoji-scenes, split: seg}
            depth: 4
            overlays: 2
            """

    static let recognition =
        setting + """
            experiment: multi-label-recognition
            evaluation: {dataset: emoji-scenes, split: seg}
            """

    private static let count = 16

    private struct Finished {
        let study: SmallStudy
        let output: RunnerProcess.Output
    }

    /// One run of all three for every test.
    private static let finished = Result {
        let study = try SmallStudy(["a.yaml": explainability, "b.yaml": segmentation, "c.yaml": recognition])
        let output = try RunnerProcess.run(study.arguments([], ["--jobs", "2"], limit: count))
        #expect(output.status == 0, "\(output.errors)")
        return Finished(study: study, output: output)
    }

    private func metrics(_ experiment: String) throws -> [Metric] {
        let database = try ResultsDatabase(
            readingFrom: Self.finished.get().study.results.appendingPathComponent("results.sqlite"))
        return try database.metrics(of: #require(try database.latestRun(of: experiment)))
    }

    @Test(arguments: ["explainability", "open-vocabulary-segmentation", "multi-label-recognition"])
    func whatImagesAddMakesTheNumber(experiment: String) throws {
        // A mean average precision over labels ranks all images.
        try StoredTerms.check(
            Self.finished.get().study, experiment,
            without: experiment == "multi-label-recognition" ? ["mean-ap", "mean-ap-gain"] : [])
    }

    /// Lines of a list without its header; no field of these lists has a comma or a line break but names of cases.
    private func lines(_ name: String) throws -> (header: Substring, rows: [Substring]) {
        let lines = try String(contentsOf: Self.finished.get().study.file(name), encoding: .utf8).split(
            separator: "\r\n")
        return (try #require(lines.first), Array(lines.dropFirst()))
    }

    @Test func tablesSayThatTheyAreOfFewImages() throws {
        let text = try Self.finished.get().output.text
        let titles = text.split(separator: "\n").filter { $0.contains("(%)") }
        let beginnings = [
            "Explainability (%)", "Where patches of a label look (%)",
            "Beyond the paper (%): the same with other sentences", "Beyond the paper: mIoU (%)",
            "Beyond the paper: mSC (%)", "Open-vocabulary segmentation (%)",
            "Multi-label recognition (%)",
        ]
        #expect(titles.count == 7, "\(titles)")
        for (title, beginning) in zip(titles, beginnings) {
            #expect(title.hasPrefix(beginning) && title.hasSuffix("— PARTIAL, \(Self.count) images only"), "\(title)")
        }
        for row in [
            "CLIP, as it is", "LRP", "second order", "feature surgery only", "architecture surgery only",
            "CLIP Surgery", "MaskCLIP", "GEM",
            "CLIP Surgery, a label that is absent", "the whole picture", "images whose answer is shown",
            "softmax over all labels", "at random",
        ] {
            #expect(text.contains("\n\(row) "), "\(row)")
        }
        #expect(
            text.contains("Second order: 5 neurons of layers 2.")
                && text.contains("Surgery in the last 6 blocks; whole pictures in 64 × 64"))
        #expect(text.contains("Surgery in the last 4 blocks") && text.contains("Vocabulary: 800 names"))
        #expect(
            text.contains("in 8 sentences ({} …)") && text.contains("the 8 sentences above")
                && text.contains("openai-simple-7"))
        // What the footnotes call …-thresholds.csv and …-inputs.json.
        for name in [
            "explainability-thresholds.csv", "explainability-vocabulary.csv",
            "open-vocabulary-segmentation-inputs.json",
        ] {
            #expect(FileManager.default.fileExists(atPath: try Self.finished.get().study.file(name).path), "\(name)")
        }
    }

    @Test func everyNumberIsThere() throws {
        for (experiment, count) in [
            ("explainability", 2 + 21 * 3 + 2 * (5 * 3 + 1) + 2 * 3 + 3 + 4),
            ("open-vocabulary-segmentation", 2 + 14 * 2), ("multi-label-recognition", 2 + 8 + 2),
        ] {
            let metrics = try metrics(experiment)
            #expect(metrics.count == count, "\(experiment): \(metrics.count)")
            for row in metrics {
                #expect(
                    row.status == .ok && row.isPartial && row.verdict != .match,
                    "\(experiment): \(row.name) \(row.subject)")
                let value = try #require(row.value)
                #expect(
                    (["score-contrast", "mean-ap-gain"].contains(row.name) ? -1...1 : 0...1).contains(value),
                    "\(experiment): \(row.name) \(row.subject) \(value)")
            }
        }
    }

    /// Masks of images of several objects are the only ones in which labels are chosen among those shown.
    @Test func numbersAreOfTheirImages() throws {
        let pairs = try lines("explainability-pairs.csv").rows
        let images = Dictionary(grouping: pairs) { $0.prefix { $0 != "," } }
        let several = images.values.count { $0.count > 1 }
        #expect(images.count == Self.count && several > 2 && several < Self.count, "\(several) of \(images.count)")
        let explained = try metrics("explainability")
        for row in explained where row.subject["method"] != nil && row.subject["sentences"] == nil {
            #expect(row.n == pairs.count, "\(row.name) \(row.subject)")
        }
        for row in try metrics("open-vocabulary-segmentation") where row.subject["choice"] != nil {
            #expect(row.n == (row.subject["choice"] == "all" ? Self.count : several), "\(row.name) \(row.subject)")
        }
        for row in try metrics("multi-label-recognition") where row.name == "mean-ap" {
            #expect(row.n == (row.subject["images"] == "all" ? Self.count : several), "\(row.subject)")
        }
        // The last input size but one decides nothing in the other table: four images of another size.
        for row in explained where row.subject["depth"] != nil {
            #expect(row.subject["input-size"] == "96" && row.n < 9)
        }
    }

    /// What any trained model shows: more than chance, and surgery more of the label asked for than of another one.
    @Test func mapsAndLabelsAreOfTheirImages() throws {
        let explained = try metrics("explainability")
        func contrast(_ method: String) throws -> Double {
            try #require(explained.first { $0.name == "score-contrast" && $0.subject["method"] == method }?.value)
        }
        #expect(try contrast("clip-surgery") > contrast("clip-surgery-absent-label") + 0.2)
        #expect(try contrast("clip-surgery") > contrast("clip") + 0.2)
        let segmented = try metrics("open-vocabulary-segmentation")
        func accuracy(_ choice: String) throws -> Double {
            try #require(
                segmented.first {
                    $0.name == "pixel-accuracy" && $0.subject["method"] == "architecture-surgery"
                        && $0.subject["choice"] == choice
                }?.value)
        }
        #expect(try accuracy("shown") > 0.6 && accuracy("all") > 0.05 && accuracy("shown") > accuracy("all"))
        let recognised = try metrics("multi-label-recognition")
        func precision(_ score: String) throws -> Double {
            try #require(recognised.first { $0.subject["score"] == score && $0.subject["images"] == "all" }?.value)
        }
        for score in ["softmax", "cosine", "feature-surgery"] {
            #expect(try precision(score) > precision("chance") + 0.4, "\(score)")
        }
        // The same images and the same model: the same answers.
        let shares = [explained, segmented, recognised].map {
            $0.first { $0.name == "accuracy" && $0.subject["condition"] == "baseline" }?.value
        }
        #expect(Set(shares).count == 1, "\(shares)")
    }

    @Test func listsAndPictures() throws {
        let thresholds = try lines("explainability-thresholds.csv")
        #expect(
            thresholds.rows.count == 101 && thresholds.header.hasPrefix("threshold,clip,")
                && thresholds.header.hasSuffix("clip-surgery-absent-label,whole-picture"))
        #expect(thresholds.rows[0].hasPrefix("0.0,") && thresholds.rows[100].hasPrefix("1.0,"))
        #expect(try lines("explainability-vocabulary.csv").rows.count == 800)
        let segmented = try lines("open-vocabulary-segmentation-images.csv")
        #expect(segmented.rows.count == Self.count && segmented.rows.allSatisfy { $0.split(separator: ",").count == 8 })
        let study = try Self.finished.get().study
        let maps = try RGBImage(contentsOf: study.file("explainability-overlays.png"))
        // Rows of two images' labels: image, mask and 20 maps, of 64 pixels twice as large.
        #expect(maps.width >= 22 * 128 && maps.height >= 2 * 128 && Set(maps.pixels).count > 100)
        let labels = try RGBImage(contentsOf: study.file("open-vocabulary-segmentation-overlays.png"))
        #expect(labels.width >= 9 * 128 && labels.height >= 2 * 128 && labels.height < 4 * 128)
    }

    @Test func aSecondCallComputesNothingAndSaysTheSame() throws {
        let finished = try Self.finished.get()
        let before = try finished.study.files()
        #expect(before.count == 12, "\(before.keys.sorted())")
        let again = try RunnerProcess.run(finished.study.arguments([], ["--jobs", "1"], limit: Self.count))
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.text.components(separatedBy: "Nothing to compute").count == 4)
        func withoutWork(_ text: String) -> [Substring] {
            text.split(separator: "\n").filter { !$0.hasPrefix("Computed") && !$0.hasPrefix("Nothing to compute") }
        }
        #expect(withoutWork(again.text) == withoutWork(finished.output.text))
        #expect(try finished.study.files() == before)
    }

    @Test(arguments: [
        (
            segmentation + "\ninput-size: 60", "'input-size': 60 pixels cannot be cut into patches of 8",
            "change the value"
        ),
        (segmentation + "\nfit: {dataset: emoji-scenes, split: fit}", "unknown key 'fit'", "known keys are overlays, "),
        (explainability.replacing("fit: {dataset: emoji-scenes, split: fit}\n", with: ""), "'fit' is missing", "fix: "),
        (
            explainability.replacing("second-order: {neurons: 5, layers: [2]}\n", with: ""),
            "'fit': only 'second-order' makes use of it", "fix: "
        ),
        (explainability.replacing("[6, 1]", with: "[7, 1]"), "'sensitivity.depths' is 7", "from 1 to 6"),
        (recognition + "\ndepth: 4", "unknown key 'depth'", "fix: "),
        (recognition + "\nclass-names: names.txt", "scenes have names of their own", "fix: "),
    ])
    func specsAreRefused(text: String, words: String, fix: String) throws {
        let study = try SmallStudy(["spec.yaml": text])
        let output = try RunnerProcess.run(study.arguments(["spec.yaml"]))
        #expect(output.status == 65 && output.text == "")
        #expect(output.errors.contains(words) && output.errors.contains(fix), "\(output.errors)")
        #expect(output.errors.contains("spec.yaml:"))
        #expect(!FileManager.default.fileExists(atPath: study.results.path))
    }
}
