import Attribution
import Pipeline

/// Table 4, its controls, and how it depends on its settings.
struct SegmentationTables {
    let measures: SegmentationMeasures

    init(_ measures: SegmentationMeasures) { self.measures = measures }

    var layouts: [TableLayout] { [table4, otherRule, absentClass] + sensitivity }

    private func predicted(_ maker: SegmentationCase.Maker) -> SegmentationCase {
        .init(maker: maker, query: .predicted)
    }

    private var table4: TableLayout {
        let groups = ["pixel accuracy", "mIoU", "mAP"]
        func cells(_ maker: SegmentationCase.Maker) -> [TableLayout.Cell] {
            let item = predicted(maker)
            let ruled = SegmentationMeasures.subject(item, rule: spec.thresholdName)
            return [
                .init("pixel-accuracy", ruled), .init("pixel-accuracy", ruled, .paper), .init("mean-iou", ruled),
                .init("mean-iou", ruled, .paper), .init("mean-ap", SegmentationMeasures.subject(item)),
                .init("mean-ap", SegmentationMeasures.subject(item), .paper),
                .init("constant-maps", SegmentationMeasures.subject(item), .value),
            ]
        }
        let spec = measures.spec
        let layers = SensitivityGrid.name(spec.neuronLayers)
        return TableLayout(
            title:
                "Table 4 (%): zero-shot segmentation, foreground where the map of the predicted class exceeds \(spec.threshold)",
            rowHeader: "method",
            columns: groups.flatMap { [.init("measured", group: $0), .init("paper", group: $0)] } + [
                .init("of one value")
            ],
            rows: AttributionMethod.all.map { .init($0.title, cells(.method($0))) }
                + [.init("random neurons (control)", cells(.randomNeurons))],
            footnotes: [
                "second order: \(spec.neurons) neurons of layers \(layers); the paper: 200 of layers 8 to 10. Foreground: the object that gives the image its label.",
                "paper: ViT-B/32 of OpenAI, ImageNet-Segmentation; \(measures.comparability).",
                "of one value: maps that tell no place from another; as in the published evaluations they are background everywhere and have an average precision of 50. Negative values of TextSpan's maps \(spec.clipsTextSpan ? "count as 0, as in its released code" : "are kept").",
                "LRP divides by sums that can be nearly zero, so that single maps can differ between machines; the numbers here were seen to move by 0.15 at most.",
                "Masks: \(spec.maskGeometry.rawValue). On square pictures of the model's size 'aligned' and 'squashed' are the same.",
            ])
    }

    private var otherRule: TableLayout {
        TableLayout(
            title: "Table 4 with the older rule (%): foreground where the map exceeds its mean",
            rowHeader: "method", columns: [.init("pixel accuracy"), .init("mIoU")],
            rows: (AttributionMethod.all.map { ($0.title, SegmentationCase.Maker.method($0)) }
                + [("random neurons (control)", .randomNeurons)]).map { title, maker in
                    let subject = SegmentationMeasures.subject(predicted(maker), rule: "> mean")
                    return .init(title, [.init("pixel-accuracy", subject), .init("mean-iou", subject)])
                })
    }

    private var absentClass: TableLayout {
        TableLayout(
            title:
                "Beyond the paper (%): the map of a class that the image does not show, against the object that it shows",
            rowHeader: "method",
            columns: ["mIoU", "mAP"].flatMap {
                [.init("predicted class", group: $0), .init("absent class", group: $0)]
            },
            rows: AttributionMethod.all.filter(\.usesClass).map { method in
                let (present, absent) = (
                    predicted(.method(method)), SegmentationCase(maker: .method(method), query: .absent)
                )
                return .init(
                    method.title,
                    [
                        .init("mean-iou", SegmentationMeasures.subject(present, rule: measures.spec.thresholdName)),
                        .init("mean-iou", SegmentationMeasures.subject(absent, rule: measures.spec.thresholdName)),
                        .init("mean-ap", SegmentationMeasures.subject(present)),
                        .init("mean-ap", SegmentationMeasures.subject(absent)),
                    ])
            },
            footnotes: [
                "The smaller the difference, the less the map says about the class that it was asked for. The absent class is drawn at random."
            ])
    }

    /// mAP by layers and neurons, and mIoU by threshold for the table's own layers.
    private var sensitivity: [TableLayout] {
        let grid = measures.grid
        let images = measures.sensitivity.images
        return [
            TableLayout(
                title:
                    "Beyond the paper: mAP (%) of second-order maps by layers and number of neurons, first \(images) images",
                rowHeader: "layers", columns: grid.neurons.map { .init("\($0)", group: "neurons") },
                rows: grid.layerSets.indices.map { set in
                    .init(
                        SensitivityGrid.name(grid.layerSets[set]),
                        grid.neurons.indices.map {
                            .init("mean-ap", measures.sensitivitySubject(layerSet: set, neurons: $0))
                        })
                }),
            TableLayout(
                title:
                    "Beyond the paper: mIoU (%) of second-order maps by threshold, layers \(SensitivityGrid.name(grid.layerSets[grid.tableSet]))",
                rowHeader: "threshold", columns: grid.neurons.map { .init("\($0)", group: "neurons") },
                rows: grid.thresholds.indices.map { threshold in
                    .init(
                        "\(grid.thresholds[threshold])",
                        grid.neurons.indices.map {
                            .init(
                                "mean-iou",
                                measures.sensitivitySubject(layerSet: grid.tableSet, neurons: $0, threshold: threshold))
                        })
                }),
        ]
    }
}
