import DenseMath
import Lens
import Pipeline

/// Numbers of the first-order experiment.
struct FirstOrderMeasures {
    let spec: FirstOrderSpec
    /// Attention heads of a layer.
    let heads: Int
    let classNames: [String]
    let isPartial: Bool
    let fitCount: Int
    /// Class of each evaluation image.
    let labels: [Int32]
    let predictions: FirstOrderPredictions
    /// Phrases of the pool that heads are described by.
    let phrases: [String]
    let spans: TextSpans
    /// Intervals of the shares of variance that the spans explain.
    let intervals: HeadVarianceIntervals
    let trust: TrustFindings

    var layers: Int { predictions.layers }
    var conditions: FirstOrderConditions { FirstOrderConditions(layers: layers) }
    private var rows: MetricBuilder {
        MetricBuilder(FirstOrderExperiment.name, spec.study.setting, isPartial: isPartial)
    }

    private var baseline: BaselineControl {
        BaselineControl(
            labels: labels, predicted: predictions.predictions.predicted(FirstOrderConditions.baseline),
            floor: spec.controls.accuracyFloor, seed: spec.study.seed)
    }

    func metrics() -> [Metric] {
        var metrics = baseline.metrics(rows, of: trust.evaluation)
        for condition in FirstOrderCondition.allCases {
            for ablated in 1...layers {
                metrics.append(
                    rows.share(
                        "accuracy", conditions.subject(condition, ablated: ablated),
                        predictions.predictions.isCorrect(conditions.index(condition, ablated: ablated), labels),
                        of: trust.evaluation))
            }
        }
        for layer in 0..<layers {
            for kind in FirstOrderPredictions.Kind.allCases {
                metrics += lengths(kind, layer: layer)
            }
        }
        return metrics + spans.heads.indices.flatMap(metrics(ofHead:)) + trust.metrics(rows, evaluated: labels.count)
    }

    /// How long a layer's direct effect is, and how far from its mean: what mean-ablation takes away.
    private func lengths(_ kind: FirstOrderPredictions.Kind, layer: Int) -> [Metric] {
        let subject: Subject = ["layer": "\(layer)", "kind": kind.rawValue]
        return [
            ("direct-effect-norm", \FirstOrderPredictions.lengths),
            ("direct-effect-deviation", \FirstOrderPredictions.deviations),
        ].map { name, values in
            rows.mean(
                name, subject, predictions.values(values, kind, layer: layer), of: trust.evaluation,
                unit: "length (representation: 100)")
        }
    }

    // MARK: Heads

    /// Layer and number of a head.
    func subject(ofHead head: Int) -> Subject { ["layer": "\(head / heads)", "head": "\(head % heads)"] }

    /// A head and a number of its texts.
    func subject(ofHead head: Int, texts: Int) -> Subject {
        Subject(subject(ofHead: head).columns + [.init("texts", "\(texts)")])
    }

    /// A head's share of the variance of all heads, as if no two of them did the same.
    func varianceShare(ofHead head: Int) -> Double {
        spans.heads[head].variance / spans.heads.reduce(0) { $0 + $1.variance }
    }

    private func metrics(ofHead head: Int) -> [Metric] {
        let (values, intervals) = (spans.heads[head], intervals.heads[head])
        func row(
            _ name: String, _ subject: Subject, _ value: Double, _ interval: Metric.Interval?, _ note: String? = nil
        ) -> Metric {
            rows.metric(name, subject, value, of: trust.fit, n: fitCount, interval: interval, note: note)
        }
        var metrics = [row("head-variance-share", subject(ofHead: head), varianceShare(ofHead: head), intervals.share)]
        for (position, text) in values.texts.enumerated() {
            metrics.append(
                row(
                    "textspan-explained-variance", subject(ofHead: head, texts: position + 1),
                    Double(text.explainedVariance),
                    intervals.texts[position], phrases[Int(text.text)]))
        }
        let all = subject(ofHead: head, texts: spec.textsPerHead)
        return metrics + [
            row(
                "textspan-explained-variance-random", all, values.explainedByRandomTexts, intervals.randomTexts,
                "one draw from the pool"),
            row(
                "principal-directions-explained-variance", all, values.explainedByPrincipalDirections,
                intervals.principalDirections, "no texts explain more"),
        ]
    }

    // MARK: Predictions and controls

    /// What was said about every image: once untouched, then by condition.
    func predictionSets() -> [PredictionSet] {
        func set(_ index: Int, _ subject: Subject) -> PredictionSet {
            predictions.predictions.set(
                index, subject, experiment: FirstOrderExperiment.name, images: trust.evaluation, truth: labels,
                classNames: classNames)
        }
        return [set(FirstOrderConditions.baseline, ["condition": "baseline"])]
            + FirstOrderCondition.allCases.flatMap { condition in
                (1...layers).map {
                    set(conditions.index(condition, ablated: $0), conditions.subject(condition, ablated: $0))
                }
            }
    }

    func failedControls() -> [FailedControl] { baseline.failedControls() + trust.failedControls() }
}
