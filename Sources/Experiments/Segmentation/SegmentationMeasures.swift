import Attribution
import Pipeline

/// Numbers of the segmentation experiment.
struct SegmentationMeasures {
    let spec: SegmentationSpec
    let layers: [Int]
    let classNames: [String]
    let isPartial: Bool
    let labels: [Int32]
    var scores: SegmentationScores
    let sensitivity: SegmentationScores
    let trust: TrustFindings

    /// All that decides the numbers, by the names that papers' files use.
    var settings: [String: String] = [:]
    /// The paper's Table 4.
    var paper: PaperTable?

    private var rows: MetricBuilder {
        MetricBuilder(
            SegmentationExperiment.name, spec.study.setting, settings: settings.merging(spec.settings) { $1 },
            isPartial: isPartial)
    }
    var grid: SensitivityGrid { SensitivityGrid(spec, layers: layers) }

    private var baseline: BaselineControl {
        BaselineControl(
            labels: labels, predicted: scores.predicted, floor: spec.controls.accuracyFloor, seed: spec.study.seed)
    }

    /// How Table 4 stands to the paper's.
    var comparability: String { rows.comparability(with: AttributionMethod.all.map { paper?[$0.name, "mean-iou"] }) }

    static func subject(_ item: SegmentationCase) -> Subject {
        ["method": item.maker.name, "class": item.query.rawValue]
    }

    static func subject(_ item: SegmentationCase, rule: String) -> Subject {
        ["method": item.maker.name, "class": item.query.rawValue, "foreground": rule]
    }

    func metrics() -> [Metric] {
        var metrics = baseline.metrics(rows, of: trust.evaluation)
        for (index, item) in SegmentationCase.all.enumerated() {
            func number(_ column: String) -> PaperNumber? {
                guard case .method(let method) = item.maker, item.query == .predicted else { return nil }
                return paper?[method.name, column]
            }
            for (position, rule) in spec.rules.enumerated() {
                // The paper's are of its own threshold.
                let isPapers = position == 0
                metrics += ratios(
                    scores, case: index, rule: position, subject: Self.subject(item, rule: rule.name),
                    papers: isPapers ? (number("pixel-accuracy"), number("mean-iou")) : (nil, nil), keepsTerms: true)
            }
            metrics.append(
                rows.mean(
                    "mean-ap", Self.subject(item), scores.precisions(of: index), of: trust.evaluation,
                    paper: number("mean-ap")))
            metrics.append(
                rows.share(
                    "constant-maps", Self.subject(item), scores.isConstant(of: index), of: trust.evaluation,
                    higherIsBetter: false,
                    note:
                        "maps of one value, which count as background everywhere and as an average precision of \(SegmentationCounts.averagePrecisionOfConstantMap)"
                ))
        }
        return metrics + sensitivityMetrics() + trust.metrics(rows, evaluated: labels.count)
    }

    /// Pixel accuracy and mean IoU of the added counts of all images.
    /// - Parameter keepsTerms: whether the counts of each image go with the rows, which is much for a whole grid.
    private func ratios(
        _ scores: SegmentationScores, case index: Int, rule: Int, subject: Subject,
        papers: (PaperNumber?, PaperNumber?) = (nil, nil), keepsTerms: Bool = false
    ) -> [Metric] {
        let counts = scores.rows(of: index, rule: rule)
        let total = SegmentationScores.counts(
            counts.reduce(into: [Double](repeating: 0, count: 6)) { sums, row in
                for i in row.indices { sums[i] += row[i] }
            })
        let intervals = rows.bootstrap().intervals(
            ofSums: counts,
            [
                { SegmentationScores.counts($0).pixelAccuracy },
                { SegmentationScores.counts($0).meanIntersectionOverUnion },
            ])
        func terms(_ parts: [String], _ columns: [(numerator: Int, denominator: Int)]) -> ImageTerms? {
            guard keepsTerms else { return nil }
            return ImageTerms(
                of: trust.evaluation, parts: parts,
                counts.enumerated().flatMap { image, row in
                    columns.enumerated().map {
                        .init(image: image, part: $0, numerator: row[$1.numerator], denominator: row[$1.denominator])
                    }
                })
        }
        return [
            rows.metric(
                "pixel-accuracy", subject, total.pixelAccuracy, of: trust.evaluation, n: counts.count,
                interval: intervals[0],
                paper: papers.0, terms: terms([""], [(0, 1)])),
            rows.metric(
                "mean-iou", subject, total.meanIntersectionOverUnion, of: trust.evaluation, n: counts.count,
                interval: intervals[1], paper: papers.1,
                terms: terms(["background", "foreground"], [(2, 3), (4, 5)])),
        ]
    }

    func sensitivitySubject(layerSet: Int, neurons: Int) -> Subject {
        ["layers": SensitivityGrid.name(grid.layerSets[layerSet]), "neurons": "\(grid.neurons[neurons])"]
    }

    func sensitivitySubject(layerSet: Int, neurons: Int, threshold: Int) -> Subject {
        [
            "layers": SensitivityGrid.name(grid.layerSets[layerSet]), "neurons": "\(grid.neurons[neurons])",
            "threshold": "\(grid.thresholds[threshold])",
        ]
    }

    private func sensitivityMetrics() -> [Metric] {
        let grid = grid
        return grid.layerSets.indices.flatMap { layerSet in
            grid.neurons.indices.flatMap { neurons -> [Metric] in
                let index = grid.index(layerSet: layerSet, neurons: neurons)
                let ratios = grid.thresholds.indices.flatMap { threshold in
                    self.ratios(
                        sensitivity, case: index, rule: threshold,
                        subject: sensitivitySubject(layerSet: layerSet, neurons: neurons, threshold: threshold))
                }
                return ratios + [
                    rows.mean(
                        "mean-ap", sensitivitySubject(layerSet: layerSet, neurons: neurons),
                        sensitivity.precisions(of: index),
                        of: trust.evaluation)
                ]
            }
        }
    }

    func predictionSets() -> [PredictionSet] {
        [
            PredictionSet(
                experiment: SegmentationExperiment.name, condition: ["condition": "baseline"],
                predictions: labels.indices.map { image in
                    Prediction(
                        imageID: trust.evaluation.imageID(image), label: name(labels[image]),
                        prediction: classNames[Int(scores.predicted[image])], margin: Double(scores.margins[image]))
                })
        ]
    }

    /// Empty for an object that is none of the classes.
    private func name(_ label: Int32) -> String { label < 0 ? "" : classNames[Int(label)] }

    func failedControls() -> [FailedControl] { baseline.failedControls() + trust.failedControls() }

    /// Average precision of every image and case.
    var list: Attachment {
        let precisions = SegmentationCase.all.indices.map(scores.precisions)
        return Attachment(
            "images.csv",
            .list(
                header: ["image", "class", "predicted", "absent_class"]
                    + SegmentationCase.all.map { "ap_\($0.maker.name)\($0.query == .absent ? "_absent" : "")" },
                rows: labels.indices.map { image in
                    [
                        .text(trust.evaluation.imageID(image)), .text(name(labels[image])),
                        .text(classNames[Int(scores.predicted[image])]), .text(classNames[Int(scores.absent[image])]),
                    ] + precisions.map { .number($0[image]) }
                }))
    }
}
