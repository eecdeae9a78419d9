import CLIPModel
import DenseMath
import Pipeline

/// Numbers of multi-label recognition.
struct MultiLabelMeasures {
    let spec: MultiLabelSpec
    let images: ImageSet
    let classNames: [String]
    /// Sentences that the names stand in.
    let templates: [String]
    let isPartial: Bool
    let facts: ImageFacts
    let cosines: Tensor
    let precisions: RecognitionPrecisions

    /// All that decides the numbers, by the names that papers' files use.
    var settings: [String: String] = [:]
    /// The paper's numbers.
    var paper: PaperTable?

    private var rows: MetricBuilder {
        MetricBuilder(MultiLabelExperiment.name, spec.setting, settings: settings, isPartial: isPartial)
    }

    private func number(_ score: RecognitionScore) -> PaperNumber? { paper?[score.rawValue, "mean-ap"] }

    /// The label of the largest cosine and its lead, image by image. // [images]
    private func answers() -> [(Int32, Float)] {
        (0..<cosines.shape[0]).map { image in
            let answer = ZeroShotClassifier.best(of: cosines[row: image])
            return (Int32(answer?.label ?? 0), answer?.margin ?? .nan)
        }
    }

    private var control: BaselineControl {
        BaselineControl(
            objects: facts.objects, predicted: answers().map(\.0), floor: spec.controls.accuracyFloor,
            seed: spec.setting.seed)
    }

    static func subject(_ score: RecognitionScore, _ subset: RecognitionSubset) -> Subject {
        ["score": score.rawValue, "images": subset.rawValue]
    }

    static func subject(_ score: RecognitionScore, over: RecognitionScore, _ subset: RecognitionSubset) -> Subject {
        ["score": score.rawValue, "over": over.rawValue, "images": subset.rawValue]
    }

    func metrics() -> [Metric] {
        control.metrics(rows, of: images)
            + precisions.items.map { item in
                let metric = rows.metric(
                    "mean-ap", Self.subject(item.score, item.subset), item.meanAP, of: images, n: item.images,
                    interval: item.interval, paper: item.subset == .all ? number(item.score) : nil,
                    note: "mean over \(item.labels) labels")
                return item.labels > 0 ? metric : Self.withoutLabels(metric, item.subset)
            }
            + precisions.gains.map { gain in
                let metric = rows.metric(
                    "mean-ap-gain", Self.subject(gain.score, over: gain.over, gain.subset), gain.meanAP, of: images,
                    n: gain.images,
                    interval: gain.interval, note: "mean over \(gain.labels) labels")
                return gain.labels > 0 ? metric : Self.withoutLabels(metric, gain.subset)
            } + RecognitionSubset.allCases.map(chance)
    }

    private static func withoutLabels(_ metric: Metric, _ subset: RecognitionSubset) -> Metric {
        metric.without(
            .notRun, because: subset == .all ? "no image shows one of the labels" : "no image shows several labels")
    }

    /// What a ranking at random has: the share of images that show a label, averaged over labels.
    private func chance(_ subset: RecognitionSubset) -> Metric {
        let shown = facts.objects.map { Set($0).filter { $0 >= 0 } }.filter { subset == .all || $0.count > 1 }
        var counts: [Int32: Int] = [:]
        for labels in shown { for label in labels { counts[label, default: 0] += 1 } }
        let metric = rows.metric(
            "mean-ap", ["score": "chance", "images": subset.rawValue],
            counts.values.sorted().map { Double($0) / Double(shown.count) }.mean, of: images, n: shown.count,
            note: "share of images that show a label, mean over \(counts.count) labels")
        return counts.isEmpty ? Self.withoutLabels(metric, subset) : metric
    }

    func predictionSets() -> [PredictionSet] {
        [PredictionSet(experiment: MultiLabelExperiment.name, answers: answers(), of: images, facts, classNames)]
    }

    func failedControls() -> [FailedControl] { control.failedControls() }

    var tables: [TableLayout] {
        func cells(_ score: String) -> [TableLayout.Cell] {
            RecognitionSubset.allCases.flatMap { subset -> [TableLayout.Cell] in
                let subject: Subject = ["score": score, "images": subset.rawValue]
                return [.init("mean-ap", subject)] + (subset == .all ? [.init("mean-ap", subject, .paper)] : [])
            }
        }
        let several = precisions.items.first { $0.subset == .several }?.images ?? 0
        return [
            TableLayout(
                title: "Multi-label recognition (%): mean average precision over labels",
                rowHeader: "images ranked by",
                columns: [
                    .init("measured", group: "all \(facts.count) images"),
                    .init("paper", group: "all \(facts.count) images"),
                    .init("\(several) images that show several labels"),
                ],
                rows: [
                    .init("softmax over all labels", cells(RecognitionScore.softmax.rawValue)),
                    .init("cosine", cells(RecognitionScore.cosine.rawValue)),
                    .init("feature surgery", cells(RecognitionScore.featureSurgery.rawValue)),
                    .init(
                        "gain of feature surgery over softmax",
                        RecognitionSubset.allCases.flatMap { subset -> [TableLayout.Cell] in
                            [.init("mean-ap-gain", Self.subject(.featureSurgery, over: .softmax, subset))]
                                + (subset == .all ? [.text("–")] : [])
                        }), .init("at random", cells("chance")),
                ],
                footnotes: [
                    "Of the class token, which architecture surgery does not change. \(VocabularyFootnote.text(classNames, templates)) Whole pictures in \(spec.inputSize) × \(spec.inputSize) pixels.",
                    "paper: arXiv 2304.05653, RN50 on NUS-Wide (81 labels); \(rows.comparability(with: RecognitionScore.allCases.map(number))).",
                ])
        ]
    }
}
