import Attribution
import Pipeline

/// Numbers of the explainability experiment.
struct ExplainabilityMeasures {
    let spec: ExplainabilitySpec
    let cases: [ExplainabilityCase]
    let images: ImageSet
    let classNames: [String]
    /// Sentences that the names stand in.
    let templates: [String]
    let isPartial: Bool
    let facts: ImageFacts
    let scores: ExplainabilityScores
    let attention: AttentionWithinLabels
    /// By input size, a case for each depth.
    let sensitivity: [(inputSize: Int, scores: ExplainabilityScores)]
    /// By the names of sentences, a case for each of ``ExplainabilityCase/surgery(depth:)``.
    let sentences: [(name: String, scores: ExplainabilityScores)]
    /// What the checks of the second-order row's directions found; nil without that row.
    let trust: TrustFindings?

    var rows: MetricBuilder {
        // The paper's own table of these measures could not be had, so that no number has a paper's beside it.
        MetricBuilder(ExplainabilityExperiment.name, spec.surgery.setting, isPartial: isPartial)
    }

    private var control: BaselineControl {
        BaselineControl(
            objects: facts.objects, predicted: scores.predicted, floor: spec.controls.accuracyFloor,
            seed: spec.surgery.setting.seed)
    }

    static func subject(_ item: ExplainabilityCase) -> Subject { ["method": item.name] }

    static func subject(inputSize: Int, depth: Int) -> Subject { ["input-size": "\(inputSize)", "depth": "\(depth)"] }

    /// What rows call the setting's own sentences.
    static let ownSentences = "own"

    static func subject(_ item: ExplainabilityCase, sentences: String) -> Subject {
        ["method": item.name, "sentences": sentences]
    }

    func metrics() -> [Metric] {
        var metrics = control.metrics(rows, of: images)
        for (index, item) in cases.enumerated() { metrics += self.metrics(scores, index, Self.subject(item)) }
        for (inputSize, scores) in sensitivity {
            for (index, depth) in spec.sensitivity.depths.enumerated() {
                metrics += self.metrics(scores, index, Self.subject(inputSize: inputSize, depth: depth))
            }
        }
        for (name, scores) in sentences {
            for (index, item) in ExplainabilityCase.surgery(depth: spec.surgery.depth).enumerated() {
                metrics += self.metrics(scores, index, Self.subject(item, sentences: name))
            }
            let answers = BaselineControl(
                objects: facts.objects, predicted: scores.predicted, floor: 0, seed: spec.surgery.setting.seed)
            metrics.append(answers.accuracy(rows, ["sentences": name], of: images))
        }
        return metrics + attentionMetrics() + (trust?.metrics(rows, evaluated: scores.images) ?? [])
    }

    /// Mean IoU at the best threshold, that threshold, and mean score contrast; means over pairs of an image and a
    /// label, for whose intervals images are drawn again.
    private func metrics(_ scores: ExplainabilityScores, _ item: Int, _ subject: Subject) -> [Metric] {
        func mean(_ name: String, _ value: (Int) -> Float, nothing: String) -> Metric {
            let sums = scores.rows(value)
            let total = sums.reduce(into: [0.0, 0.0]) {
                $0[0] += $1[0]; $0[1] += $1[1]
            }
            let metric = rows.metric(
                name, subject, total[0] / total[1], of: images, n: Int(total[1]),
                interval: rows.bootstrap().intervals(ofSums: sums, [{ $0[0] / $0[1] }])[0],
                terms: ImageTerms(
                    of: images, sums.enumerated().map { .init(image: $0, numerator: $1[0], denominator: $1[1]) }))
            return total[1] > 0 ? metric : metric.without(.notRun, because: nothing)
        }
        let threshold = rows.metric(
            "best-threshold", subject, (Double(scores.threshold(of: item)) * 100).rounded() / 100, of: images,
            n: scores.pairs,
            note: "found by grid search on these images")
        let unseen = "no mask shows one of the labels"
        return [
            mean("explainability-iou", { scores.ratio($0, item) }, nothing: unseen),
            scores.pairs > 0 ? threshold : threshold.without(.notRun, because: unseen),
            mean(
                "score-contrast", { scores.contrast($0, item) },
                nothing: "no mask shows one of the labels and anything else"),
        ]
    }

    static func subject(_ kind: AttentionWithinLabels.Kind) -> Subject { ["attention": kind.rawValue] }

    /// How far attention stays on labels, a mean over pairs of an image and a label, and what surgery does to the class token.
    private func attentionMetrics() -> [Metric] {
        AttentionWithinLabels.Kind.allCases.map { kind in
            let sums = attention.rows(kind)
            let total = sums.reduce(into: [0.0, 0.0]) {
                $0[0] += $1[0]; $0[1] += $1[1]
            }
            let metric = rows.metric(
                "attention-within-label", Self.subject(kind), total[0] / total[1], of: images, n: Int(total[1]),
                interval: rows.bootstrap().intervals(ofSums: sums, [{ $0[0] / $0[1] }])[0],
                terms: ImageTerms(
                    of: images, sums.enumerated().map { .init(image: $0, numerator: $1[0], denominator: $1[1]) }))
            return total[1] > 0 ? metric : metric.without(.notRun, because: "no label covers two patches")
        } + [
            rows.mean(
                "class-token-change", [:], attention.classTokenChanges.map(Double.init), of: images,
                unit: "relative length",
                higherIsBetter: false,
                note: "‖e′ − e‖/‖e‖, e′ the first token after surgery, e the embedding by the tower alone")
        ]
    }

    func predictionSets() -> [PredictionSet] {
        [
            PredictionSet(
                experiment: ExplainabilityExperiment.name, answers: zip(scores.predicted, scores.margins), of: images,
                facts, classNames)
        ]
    }

    func failedControls() -> [FailedControl] { control.failedControls() + (trust?.failedControls() ?? []) }

    /// Mean IoU of every case at every threshold.
    var curves: Attachment {
        Attachment(
            "thresholds.csv",
            .list(
                header: ["threshold"] + cases.map(\.name),
                rows: ExplainabilityScores.thresholds.indices.map { step in
                    [.number(Double(step) / 100)]
                        + cases.indices.map { .number(scores.curve(of: $0)[scores.curve(of: $0).startIndex + step]) }
                }))
    }

    /// The curves of the maps that are made for the label, with the threshold that is best for each as its highest point.
    var figure: FigureLayout {
        FigureLayout(
            title: "Mean IoU with the label's pixels by threshold",
            x: .init("threshold (% of the map's range)", isShare: true),
            y: .init("mIoU (%)", isShare: true, startsAtZero: true),
            curves: cases.enumerated().filter { $0.element.isDrawn(depth: spec.surgery.depth) }.map { item, shown in
                let curve = Array(scores.curve(of: item))
                return .init(
                    shown.title,
                    ExplainabilityScores.thresholds.indices.map { .init(Double($0) / 100, .number(Double(curve[$0]))) })
            }, hasMarks: false)
    }

    /// Every image and label behind the means.
    var pairs: Attachment {
        var rows: [[Attachment.Field]] = []
        for (image, count) in scores.pairCounts.enumerated() {
            for _ in 0..<count {
                let pair = rows.count
                rows.append(
                    [.text(images.imageID(image)), .text(classNames[Int(scores.labels[pair])])]
                        + cases.indices.flatMap { item -> [Attachment.Field] in
                            [.number(Double(scores.ratio(pair, item))), .number(Double(scores.contrast(pair, item)))]
                        })
            }
        }
        return Attachment(
            "pairs.csv",
            .list(
                header: ["image", "label"] + cases.flatMap { ["iou_\($0.name)", "contrast_\($0.name)"] }, rows: rows))
    }

    /// What the maps chose among.
    var vocabulary: Attachment {
        Attachment("vocabulary.csv", .list(header: ["label"], rows: classNames.map { [.text($0)] }))
    }
}
