import DenseMath
import Foundations
import Pipeline
import Testing

@testable import Experiments

@Suite struct MultiLabelMeasuresTests {
    private static let interval = Metric.Interval(
        lower: 0.1, upper: 0.9, level: 0.95, method: "m", replicates: 2, seed: 0, resamplingUnit: "image")
    private static let gain = Metric.Interval(
        lower: -0.1, upper: 0.3, level: 0.95, method: "m", resamplingUnit: "image")

    /// Four images: two of two labels, one of one, one of none.
    /// - Parameter several: labels that the images with several show.
    private func measures(_ objects: [[Int32]] = [[0, 1], [2, -1, 0], [1, 1], [-1]], several: Int = 3) throws
        -> MultiLabelMeasures
    {
        let items = RecognitionScore.allCases.flatMap { score in
            RecognitionSubset.allCases.map { subset in
                RecognitionPrecisions.Item(
                    score: score, subset: subset, images: subset == .all ? 4 : 2, labels: subset == .all ? 3 : several,
                    meanAP: 0.25 + 0.125 * Double(RecognitionScore.allCases.firstIndex(of: score) ?? 9)
                        + (subset == .all ? 0 : 0.0625),
                    interval: Self.interval)
            }
        }
        let gains = RecognitionSubset.allCases.map { subset in
            RecognitionPrecisions.Gain(
                score: .featureSurgery, over: .softmax, subset: subset, images: subset == .all ? 4 : 2,
                labels: subset == .all ? 3 : several,
                meanAP: subset == .all ? 0.25 : 0.125, interval: Self.gain)
        }
        let spec = try MultiLabelSpec(
            SurgerySample.document("multi-label-recognition", "input-size: 12\ncontrols: {accuracy-floor: 0.5}"),
            choices: SurgerySample.choices)
        return try MultiLabelMeasures(
            spec: spec, images: HandMade.images, classNames: ["cat", "dog", "pig"], templates: ["{}"], isPartial: false,
            facts: SurgerySample.facts(of: objects),
            cosines: Tensor(shape: [4, 3], elements: [0.25, 0.5, 0, 0.5, 0.75, 0.5, 0, 0.5, 0.375, 1, 0, 0]),
            precisions: RecognitionPrecisions(items: items, gains: gains),
            paper: HandMade.papers().table("Surgery", "multi-label recognition"))
    }

    @Test func precisionsByScoreAndImages() throws {
        let metrics = try measures().metrics()
        for (name, value) in [("softmax", 0.25), ("cosine", 0.375), ("feature-surgery", 0.5)] {
            let all = try #require(metrics.row("mean-ap", ["score": name, "images": "all"]))
            #expect(
                all.value == value && all.n == 4 && all.note == "mean over 3 labels" && all.interval == Self.interval)
            let several = try #require(metrics.row("mean-ap", ["score": name, "images": "several labels"]))
            #expect(several.value == value + 0.0625 && several.n == 2 && several.paper == nil)
        }
        // The same images drawn for both scores.
        let gain = try #require(
            metrics.row("mean-ap-gain", ["score": "feature-surgery", "over": "softmax", "images": "all"]))
        #expect(gain.value == 0.25 && gain.n == 4 && gain.interval == Self.gain)
        #expect(
            metrics.value("mean-ap-gain", ["score": "feature-surgery", "over": "softmax", "images": "several labels"])
                == 0.125)
        let papers = metrics.filter { $0.paper != nil }
        #expect(papers.map { $0.subject["score"] } == ["softmax", "feature-surgery"])
        #expect(
            papers.map { $0.paper?.value } == [0.3558, 0.3999] && papers.allSatisfy { $0.verdict == .notComparable })
    }

    @Test func chanceIsTheShareOfImagesThatShowALabel() throws {
        let metrics = try measures().metrics()
        // Labels 0 and 1 in two of four images, label 2 in one.
        let all = try #require(metrics.row("mean-ap", ["score": "chance", "images": "all"]))
        #expect(all.value.isNear((0.5 + 0.5 + 0.25) / 3) && all.n == 4, "\(all)")
        #expect(all.note == "share of images that show a label, mean over 3 labels")
        // Of the two with several: label 0 in both, 1 and 2 in one. The same label twice is one.
        let several = try #require(metrics.row("mean-ap", ["score": "chance", "images": "several labels"]))
        #expect(several.value.isNear((1 + 0.5 + 0.5) / 3) && several.n == 2, "\(several)")
    }

    /// Of classified pictures, which no run should fail for.
    @Test func withoutImagesOfSeveralLabelsTheirRowsSaySo() throws {
        let metrics = try measures([[0], [1], [2], [0]], several: 0).metrics()
        let rows = metrics.filter { $0.subject["images"] == "several labels" }
        #expect(rows.count == 5)
        for row in rows {
            #expect(row.status == .notRun && row.value == nil && row.note == "no image shows several labels", "\(row)")
        }
        #expect(metrics.filter { $0.subject["images"] == "all" }.allSatisfy { $0.status == .ok })
        let none = try measures([[-1], [], [-1], []]).metrics().row("mean-ap", ["score": "chance", "images": "all"])
        #expect(none?.status == .notRun && none?.note == "no image shows one of the labels")
    }

    /// A ranking at random has that precision on average.
    @Test func rankingsAtRandomHaveTheChance() throws {
        var random = SplitMix64(seed: 6)
        let shown = (0..<400).map { _ in Set((0..<3).filter { random.below(3 + Int($0)) == 0 }.map { Int32($0) }) }
        let found = (0..<20).map { _ in
            let scores = shown.map { _ in (0..<3).map { _ in Float(random.uniform()) } }
            return (try? RecognitionTests.precision(.cosine, .all, cosines: scores, shown: shown).meanAP) ?? .nan
        }
        let share = (0..<3).map { label in Double(shown.count { $0.contains(label) }) / 400 }.mean
        #expect(abs(found.mean - share) < 0.03, "\(found.mean), share \(share)")
    }

    @Test func theLargestCosineIsTheModelsAnswer() throws {
        // dog of [cat, dog], dog of [pig, cat], dog of [dog]; the fourth picture shows none of the classes.
        let measures = try measures()
        #expect(measures.metrics().value("accuracy", ["condition": "baseline"]) == 2.0 / 3)
        #expect(measures.failedControls() == [])
        let set = try #require(measures.predictionSets().first)
        #expect(
            set.predictions.map(\.prediction) == ["dog", "dog", "dog", "cat"]
                && set.predictions.map(\.margin) == [0.25, 0.25, 0.125, 1])
        #expect(set.predictions.map(\.label) == ["cat, dog", "pig, cat", "dog", ""])
    }

    @Test func everyCellOfTheTableHasItsMetric() throws {
        let measures = try measures()
        #expect(measures.tables.cellsWithout(measures.metrics()) == [])
        let layout = try #require(measures.tables.first)
        #expect(
            layout.rows.map(\.header) == [
                "softmax over all labels", "cosine", "feature surgery", "gain of feature surgery over softmax",
                "at random",
            ])
        #expect(layout.rows.allSatisfy { $0.cells.count == layout.columns.count })
        #expect(
            layout.columns.map(\.group) == ["all 4 images", "all 4 images", nil]
                && layout.columns[2].header == "2 images that show several labels")
        #expect(
            layout.footnotes[0].contains("3 names (cat, dog, pig") && layout.footnotes[0].contains("12 × 12 pixels"))
    }
}
