import Foundation
import Pipeline
import Results
import TestSupport
import Testing

/// The experiments on CLIP Surgery on pictures of several objects, in the formats in which people have them.
@Suite struct SurgeryPictureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let evaluation: String
        /// What rows call the set, and its record of what Python's readers found.
        let dataset: String
        let expected: String
        /// The record for recognition, where its pictures and labels are not those that have masks.
        var recognised: String?
    }

    private static let cases: [Case] = [
        .init(
            testDescription: "VOC 2012", evaluation: "{dataset: voc-2012, split: val}", dataset: "voc-2012",
            expected: "voc-segmentation",
            recognised: "voc-classification"),
        .init(
            testDescription: "COCO 2017, with a picture of nothing", evaluation: "{dataset: coco-2017-val}",
            dataset: "coco-2017-val",
            expected: "coco-contiguous-ignored-lastWins"),
        .init(
            testDescription: "Pascal Context", evaluation: "{dataset: pascal-context, split: val}",
            dataset: "pascal-context", expected: "pascal-context"),
        .init(
            testDescription: "pairs", evaluation: "{dataset: image-mask-pairs, path: $DATA/own/pairs.tar}",
            dataset: "pairs", expected: "pairs"),
    ]

    private static let size = 8

    /// The labels that the nearest pixels of a picture's mask show in a square. // by picture
    private static func shown(_ set: String) throws -> [String: Set<String>] {
        let expected = try DataSetFixtures.expected(set)
        var result: [String: Set<String>] = [:]
        for record in expected.records {
            let mask = try #require(record.mask)
            func places(_ side: Int) -> [Int] {
                (0..<size).map { Int((Double($0) + 0.5) * Double(side) / Double(size)) }
            }
            let numbers = Set(
                places(mask.height).flatMap { row in places(mask.width).map { mask.labels[row * mask.width + $0] } })
            result[record.id] = Set(numbers.subtracting([0, .max]).map { expected.classNames[Int($0) - 1] })
        }
        return result
    }

    @Test(arguments: cases) func mapsAreOfTheLabelsThatMasksShow(set: Case) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.installPairsOfSeveralObjects()
        try study.writeExplainability(evaluation: set.evaluation)
        let run = try study.run()
        try #require(run.status == 0, "\(run.errors)")
        let shown = try Self.shown(set.expected)
        let lines = try study.result("explainability-pairs.csv").split(separator: "\r\n").dropFirst()
        let pairs = lines.map {
            $0.split(separator: ",", omittingEmptySubsequences: false).prefix(2).joined(separator: ",")
        }
        #expect(pairs.sorted() == shown.flatMap { id, labels in labels.map { "\(set.dataset)/\(id),\($0)" } }.sorted())
        let metrics = try study.metrics("explainability")
        for row in metrics where row.subject["method"] != nil || row.subject["depth"] != nil {
            #expect(row.status == .ok && row.dataset.hasPrefix(set.dataset), "\(row)")
            if row.name == "explainability-iou" {
                #expect(row.n <= pairs.count && (row.subject["depth"] != nil || row.n == pairs.count))
            }
        }
        #expect(try study.outcome("explainability").labels.count == shown.count)
        #expect(try study.run().text.contains("Nothing to compute"))
    }

    @Test(arguments: cases) func pixelsGetLabels(set: Case) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.installPairsOfSeveralObjects()
        try study.writeOpenVocabulary(evaluation: set.evaluation)
        let run = try study.run()
        try #require(run.status == 0, "\(run.errors)")
        let shown = try Self.shown(set.expected)
        let (some, several) = (shown.values.count { !$0.isEmpty }, shown.values.count { $0.count > 1 })
        #expect(several > 0)
        let labels = Set(shown.values.joined()).count
        let metrics = try study.metrics("open-vocabulary-segmentation")
        for row in metrics where row.subject["choice"] != nil {
            #expect(row.status == .ok && row.n == (row.subject["choice"] == "all" ? some : several), "\(row)")
            if row.name == "mean-iou", row.subject["choice"] == "all" {
                #expect(row.note == "mean over \(labels) labels")
            }
        }
        // A picture that shows none of the labels stands in the list without a number.
        let lines = try study.result("open-vocabulary-segmentation-images.csv").split(separator: "\r\n").dropFirst()
        #expect(lines.count == shown.count)
        for (id, labels) in shown {
            let line = try #require(lines.first { $0.hasPrefix("\(set.dataset)/\(id),") })
            #expect(line.contains(",,") == labels.isEmpty, "\(line)")
        }
    }

    @Test(arguments: cases) func picturesAreRankedByLabels(set: Case) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.installPairsOfSeveralObjects()
        try study.writeRecognition(evaluation: set.evaluation)
        let run = try study.run()
        try #require(run.status == 0, "\(run.errors)")
        let expected = try DataSetFixtures.expected(set.recognised ?? set.expected)
        let labels = expected.records.map { record -> Set<Int> in
            guard record.labels.isEmpty, let mask = record.mask else { return Set(record.labels) }
            return Set(mask.labels.filter { $0 != 0 && $0 != .max }.map { Int($0) - 1 })
        }
        let metrics = try study.metrics("multi-label-recognition")
        for row in metrics where row.name == "mean-ap" {
            let images = row.subject["images"] == "all" ? labels : labels.filter { $0.count > 1 }
            #expect(row.status == .ok && row.n == images.count, "\(row)")
            #expect(row.note?.hasSuffix("mean over \(Set(images.joined()).count) labels") == true, "\(row)")
        }
        let chance = metrics.first { $0.subject["score"] == "chance" && $0.subject["images"] == "all" }?.value
        let all = Set(labels.joined())
        let share =
            all.map { label in Double(labels.count { $0.contains(label) }) / Double(labels.count) }.reduce(0, +)
            / Double(all.count)
        #expect(abs((chance ?? .nan) - share) < 1e-9, "\(chance ?? .nan), expected \(share)")
    }

    // MARK: Sets that say little

    @Test func pairsOfOneLabelGiveRowsThatSaySo() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try OwnPictures.write(OwnPictures.pairs(), to: study.own("pairs"))
        let evaluation = "{dataset: image-mask-pairs, path: $DATA/own/pairs}"
        try study.writeOpenVocabulary(evaluation: evaluation)
        let segmentation = try study.run()
        #expect(segmentation.status == 0, "\(segmentation.errors)")
        for row in try study.metrics("open-vocabulary-segmentation") where row.subject["choice"] == "shown" {
            #expect(row.status == .notRun && row.note == "no mask shows several labels", "\(row)")
        }
        try study.writeRecognition(evaluation: evaluation)
        let recognition = try study.run()
        #expect(recognition.status == 0, "\(recognition.errors)")
        for row in try study.metrics("multi-label-recognition") where row.name == "mean-ap" {
            let isAll = row.subject["images"] == "all"
            #expect(
                row.status == (isAll ? .ok : .notRun) && (isAll || row.note == "no image shows several labels"),
                "\(row)")
        }
        try study.writeExplainability(evaluation: evaluation)
        let explainability = try study.run()
        #expect(explainability.status == 0, "\(explainability.errors)")
        for row in try study.metrics("explainability") {
            // Masks as small as these cover the half of no patch.
            #expect(
                row.status == .ok || row.name == "attention-within-label" && row.note == "no label covers two patches",
                "\(row)")
        }
    }

    /// Masks of background alone.
    @Test func masksOfNothingGiveRowsThatSaySo() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        var pairs = try OwnPictures.pairs()
        for index in 0..<OwnPictures.labels.count {
            pairs["masks/\(index).png"] = OwnPictures.mask(of: index, rows: 0..<0)
        }
        try OwnPictures.write(pairs, to: study.own("pairs"))
        let evaluation = "{dataset: image-mask-pairs, path: $DATA/own/pairs}"
        for (experiment, write) in [
            ("explainability", { try study.writeExplainability(evaluation: evaluation) }),
            ("open-vocabulary-segmentation", { try study.writeOpenVocabulary(evaluation: evaluation) }),
            ("multi-label-recognition", { try study.writeRecognition(evaluation: evaluation) }),
        ] as [(String, () throws -> Void)] {
            try write()
            let run = try study.run()
            #expect(run.status == 0, "\(run.errors)")
            let metrics = try study.metrics(experiment)
            // What surgery does to the class token has nothing to do with masks.
            let ofMasks = metrics.filter { $0.name != "class-token-change" }
            #expect(ofMasks.count > 5 && ofMasks.allSatisfy { $0.status == .notRun && $0.note != nil }, "\(experiment)")
        }
    }

    @Test(arguments: [
        "{dataset: imagenet-r}", "{dataset: cifar-10, split: test}",
        "{dataset: class-folders, path: $DATA/imagenet-r/imagenet-r.tar}",
    ])
    func setsWithoutMasksAreNotExplained(evaluation: String) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        for write in [
            { try study.writeExplainability(evaluation: evaluation) },
            { try study.writeOpenVocabulary(evaluation: evaluation) },
        ] as [() throws -> Void] {
            try write()
            let output = try study.run()
            #expect(output.status == 65 && output.text == "" && output.errors.contains("fix: "))
            #expect(output.errors.contains("has no masks to compare maps with"), "\(output.errors)")
        }
        // To rank pictures none are needed.
        try study.writeRecognition(evaluation: evaluation)
        let output = try study.run()
        #expect(output.status == 0, "\(output.errors)")
    }

    // MARK: Settings

    /// Directions of another set's pictures, and the sentences that surgery's authors take.
    @Test func theSecondOrderRowHasFitImagesOfItsOwn() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.writeExplainability(
            evaluation: "{dataset: voc-2012, split: val}",
            "fit: {dataset: imagenet-train}\nsecond-order: {neurons: 2}\nsignificant-images: 2\ninput-size: 12\n",
            templates: nil)
        let run = try study.run()
        try #require(run.status == 0, "\(run.errors)")
        #expect(
            run.text.contains("\nsecond order ")
                && run.text.contains("whole pictures in 12 × 12 pixels. Second order: 2 neurons"))
        let inputs =
            try JSONSerialization.jsonObject(with: Data(study.result("explainability-inputs.json").utf8))
            as? [String: Any]
        #expect((inputs?["templates"] as? [String])?.count == 85 && (inputs?["classes"] as? [String])?.count == 20)
        #expect(try study.outcome("explainability").counts == ["fit": 9, "evaluation": 2])
    }
}

extension PictureStudy {
    private static let setting = "world: tiny\nmodel: ./model\ncontrols: {accuracy-floor: 0}\n"

    private func writeSurgery(_ keys: String, _ evaluation: String, _ more: String, _ templates: String?) throws {
        try writeSpec(
            keys + Self.setting + (templates.map { "templates: \($0)\n" } ?? "") + "evaluation: \(evaluation)\n" + more)
    }

    func writeExplainability(evaluation: String, _ more: String = "", templates: String? = "openai-simple-7") throws {
        try writeSurgery(
            "experiment: explainability\noverlays: 1\nsensitivity: {images: 2, depths: [1, 2], input-sizes: [8, 12]}\n",
            evaluation, more, templates)
    }

    func writeOpenVocabulary(evaluation: String, _ more: String = "", templates: String? = "openai-simple-7") throws {
        try writeSurgery("experiment: open-vocabulary-segmentation\noverlays: 1\n", evaluation, more, templates)
    }

    func writeRecognition(evaluation: String, _ more: String = "", templates: String? = "openai-simple-7") throws {
        try writeSurgery("experiment: multi-label-recognition\n", evaluation, more, templates)
    }

    func result(_ name: String) throws -> String {
        try String(contentsOf: results.appendingPathComponent(name), encoding: .utf8)
    }

    /// The rows of the latest run of an experiment.
    func metrics(_ experiment: String) throws -> [Metric] {
        let database = try ResultsDatabase(readingFrom: results.appendingPathComponent("results.sqlite"))
        return try database.metrics(of: #require(try database.latestRun(of: experiment)))
    }
}
