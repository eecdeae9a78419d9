import Pipeline
import Testing

@testable import Experiments

@Suite struct OpenVocabularyMeasuresTests {
    typealias Sample = OpenVocabularyScoresTests

    private static let cases = OpenVocabularyCase.all(depth: 2)

    /// Three images: the first shows three labels, the second one, the third none of the classes.
    /// - Parameters:
    ///   - flawed: the case in which pixels get wrong labels.
    ///   - isEmpty: no mask shows one of the labels.
    private func measures(_ flawed: Int = 0, dataset: String = "d", isEmpty: Bool = false) throws
        -> OpenVocabularyMeasures
    {
        var scores = OpenVocabularyScores(cases: Self.cases.count)
        if !isEmpty { appendLabelled(flawed, to: &scores) }
        for _ in scores.images..<3 {
            scores.appendImage(predicted: 0, margin: 0.25)
            for _ in Self.cases { scores.appendNothing() }
        }
        let spec = try OpenVocabularySpec(
            SurgerySample.document("open-vocabulary-segmentation", "depth: 2\ncontrols: {accuracy-floor: 0.6}"),
            choices: SurgerySample.choices)
        return try OpenVocabularyMeasures(
            spec: spec, images: ImageSet(dataset: dataset, split: "seg"), classNames: ["cat", "dog", "pig", "cow"],
            templates: ["{}"], isPartial: false,
            facts: SurgerySample.facts(of: [[0, 1, 2], [2], [-1]]), scores: OpenVocabularyScores(scores.stored()),
            paper: HandMade.papers().table("Surgery", "open-vocabulary segmentation"))
    }

    private func appendLabelled(_ flawed: Int, to scores: inout OpenVocabularyScores) {
        scores.appendImage(predicted: 1, margin: 0.5)
        for index in Self.cases.indices {
            scores.append(found: index == flawed ? Sample.found : Sample.shown.map { max($0, 0) }, shown: Sample.shown)
        }
        scores.appendImage(predicted: 3, margin: 0.25)
        for (index, item) in Self.cases.enumerated() {
            if item.choice == .shown {
                scores.appendNothing()
            } else {
                scores.append(found: index == flawed ? [3, 2, 2] : [2, 2, 0], shown: [2, 2, -1])
            }
        }
    }

    @Test func ratiosByReadingAndChoice() throws {
        let metrics = try measures().metrics()
        let ratio = try #require(metrics.row("mean-iou", ["method": "clip", "choice": "all"]))
        #expect(
            ratio.value.isNear((1.0 / 3 + 1.0 / 2 + 2.0 / 4) / 3) && ratio.n == 2 && ratio.note == "mean over 3 labels",
            "\(ratio)")
        let accuracy = try #require(metrics.row("pixel-accuracy", ["method": "clip", "choice": "all"]))
        #expect(accuracy.value.isNear(4.0 / 7) && accuracy.n == 2 && accuracy.note == nil)
        // Images of a single label say nothing about a choice among the labels shown.
        let shown = try #require(metrics.row("mean-iou", ["method": "clip", "choice": "shown"]))
        #expect(shown.value == 1 && shown.n == 1 && shown.interval == nil)
    }

    @Test func withoutALabelInAMaskRowsSaySo() throws {
        for row in try measures(isEmpty: true).metrics() where row.name != "accuracy" {
            let words =
                row.subject["choice"] == "all" ? "no mask shows one of the labels" : "no mask shows several labels"
            #expect(row.status == .notRun && row.value == nil && row.note == words, "\(row)")
        }
    }

    @Test func intervalsLeaveImagesOut() throws {
        let metrics = try measures().metrics()
        // Of two images each is left out once: 3/5 and 1/2 of the pixels are right.
        let accuracy = try #require(metrics.row("pixel-accuracy", ["method": "clip", "choice": "all"]))
        let interval = try #require(accuracy.interval)
        // Of two groups the error says little, and the interval is wide.
        let (lower, upper) = (4.0 / 7 - interval.lower, interval.upper - 4.0 / 7)
        #expect(abs(lower - upper) < 1e-9 && lower > 1.96 * (0.6 - 0.5) / 2, "\(interval)")
        #expect(interval.method == "delete-a-group jackknife" && interval.replicates == 2)
    }

    @Test func everyCaseHasItsOwnRows() throws {
        #expect(Self.cases.count == 14 && Set(Self.cases).count == 14)
        for (index, item) in Self.cases.enumerated() {
            for name in ["mean-iou", "pixel-accuracy"] {
                let spoilt = try measures(index).metrics().filter { $0.name == name && $0.value != 1 }
                #expect(
                    spoilt.count == 1 && spoilt.first?.subject == OpenVocabularyMeasures.subject(item),
                    "\(item): \(spoilt)")
            }
        }
        // Maps by feature surgery are for one label.
        #expect(!Self.cases.contains { $0.reading.features != .plain })
    }

    @Test func paperValuesStandAtTheirDataSetOnly() throws {
        #expect(try measures().metrics().allSatisfy { $0.paper == nil })
        let metrics = try measures(dataset: "pascal-context").metrics()
        let rows = metrics.filter { $0.paper != nil }
        #expect(rows.map { $0.subject["method"] } == ["architecture-surgery"])
        #expect(rows.map { $0.paper?.value } == [0.293])
        #expect(
            rows.allSatisfy { $0.name == "mean-iou" && $0.subject["choice"] == "all" && $0.verdict == .notComparable })
    }

    @Test func theModelsAnswersAreTheControl() throws {
        // 1 of [0, 1, 2], 3 of [2]; the third picture shows none of the classes.
        let measures = try measures()
        #expect(measures.metrics().value("accuracy", ["condition": "baseline"]) == 0.5)
        #expect(measures.failedControls() == [.accuracyBelowFloor(accuracy: 0.5, floor: 0.6)])
        let set = try #require(measures.predictionSets().first)
        #expect(
            set.predictions.map(\.label) == ["cat, dog, pig", "pig", ""]
                && set.predictions.map(\.prediction) == ["dog", "cow", "cat"])
    }

    @Test func theListHasEveryImage() throws {
        let list = try measures().list
        let (header, rows) = try #require(list.list)
        #expect(list.name == "images.csv" && header.count == 8 && rows.count == 3)
        #expect(Array(header.prefix(3)) == ["image", "pixel_accuracy_clip", "pixel_accuracy_architecture-surgery"])
        #expect(rows[0][0] == .text("d/seg/0") && rows[0][1].isNear(0.6) && rows[0][2].isNear(1))
        #expect(rows[1][1].isNear(0.5) && rows[1][7].isNear(1))
        #expect(rows[2][1].isNaN)
    }

    @Test func everyCellOfTheTableHasItsMetric() throws {
        let measures = try measures()
        let layouts = OpenVocabularyTables(measures).layouts
        #expect(layouts.cellsWithout(measures.metrics()) == [])
        #expect(layouts.count == 1 && layouts[0].rows.count == 7)
        #expect(layouts[0].rows.allSatisfy { $0.cells.count == layouts[0].columns.count })
        #expect(
            layouts[0].footnotes.contains {
                $0.contains("4 names (cat, dog, pig") && $0.contains("last 2 blocks; whole pictures in 8 × 8 pixels")
            })
    }
}
