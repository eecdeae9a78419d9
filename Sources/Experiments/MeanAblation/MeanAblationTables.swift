import Lens
import Pipeline

/// The printed tables: Figure 3 by layer, and Table 1 for the strongest layer.
struct MeanAblationTables {
    let measures: MeanAblationMeasures

    init(_ measures: MeanAblationMeasures) { self.measures = measures }

    var layouts: [TableLayout] {
        [figure3, table1].marked(partial: measures.isPartial, images: measures.labels.count)
    }

    private var layers: [Int] { measures.layers }
    private var tableLayer: Int { measures.tableLayer }

    /// The conditions in the order of the columns, with their headers.
    private static let conditions: [(header: String, condition: String, group: String?)] = [
        ("all neurons", AblationCondition.withoutAllNeurons.rawValue, "accuracy without"),
        ("large norms", AblationCondition.withoutLargeNorms.rawValue, "accuracy without"),
        ("small norms", AblationCondition.withoutSmallNorms.rawValue, "accuracy without"),
        ("random neurons", AblationCondition.withoutRandomNeurons.rawValue, "accuracy without"),
        ("from PC #1", AblationCondition.reconstructionFromPC1.rawValue, nil),
        ("indirect", AblationPredictions.indirect, nil),
    ]

    private var figure3: TableLayout {
        TableLayout(
            title: "Figure 3: zero-shot accuracy (%), second-order effects of one layer replaced by their means",
            rowHeader: "layer",
            columns: [.init("baseline")] + Self.conditions.map { .init($0.header, group: $0.group) }
                + [.init("along PC #1")],
            rows: layers.map { layer in
                .init(
                    "\(layer)",
                    [.init("accuracy", ["condition": AblationCondition.baseline.rawValue])]
                        + Self.conditions.map { .init("accuracy", ["layer": "\(layer)", "condition": $0.condition]) }
                        + [.init(EffectKind.shareMetric, EffectKind.secondOrder.subject(.largest, layer: layer, .all))])
            },
            footnotes: [
                "Brackets: 95 % interval, Wilson's of a share of images (in the last column a bootstrap over neurons).",
                "random neurons: a control, on each image as many as are significant there.",
                "indirect: activations replaced by their means and the later layers run again.",
                "large norms: of the neurons whose effect is larger than on all but \(measures.spec.study.significantImages) of the \(measures.fitCount) fit images; small norms: of all others.",
                "along PC #1: of the second moments Σ‖φ − φ̄‖² of each neuron's \(measures.spec.study.significantImages) largest effects; the mean over all fit images is taken away, not that of these.",
                "The paper shows this figure as a plot, without numbers.",
            ])
    }

    /// Figure 3 as the paper has it.
    var figure: FigureLayout {
        FigureLayout(
            title: "Figure 3: zero-shot accuracy without the second-order effects of one layer",
            x: .init("layer"), y: .init("accuracy (%)", isShare: true, startsAtZero: true),
            curves: Self.conditions.map { condition in
                .init(
                    [condition.group == nil ? nil : "without", condition.header].compactMap { $0 }.joined(
                        separator: " "),
                    layers.map {
                        .init(Double($0), .metric("accuracy", ["layer": "\($0)", "condition": condition.condition]))
                    })
            },
            reference: .init(
                "baseline",
                layers.map {
                    .init(Double($0), .metric("accuracy", ["condition": AblationCondition.baseline.rawValue]))
                }))
    }

    private var table1: TableLayout {
        func row(_ header: String, _ condition: String, _ effect: EffectKind) -> TableLayout.Row {
            let accuracy: Subject = ["layer": "\(tableLayer)", "condition": condition]
            let equal = effect.subject(.largest, layer: tableLayer, .equal)
            // The paper's number stands beside the sample that is like its own, as far as that is known.
            let whole = effect == .secondOrder ? effect.subject(.largest, layer: tableLayer, .all) : equal
            return .init(
                header,
                [
                    .init("accuracy", accuracy), .init("accuracy", accuracy, .paper),
                    .init(EffectKind.shareMetric, equal),
                    effect == .secondOrder ? .init(EffectKind.shareMetric, whole) : .text("–"),
                    .init(EffectKind.shareMetric, whole, .paper),
                ])
        }
        let isChosen = measures.spec.tableLayer != nil
        let (accuracy, share) = ("accuracy after mean-ablation", "second moments along PC #1")
        return TableLayout(
            title:
                "Table 1 (%): effects of the neurons of layer \(tableLayer)\(isChosen ? "" : ", whose ablation costs most here")",
            rowHeader: "effect",
            columns: [
                .init("measured", group: accuracy), .init("paper", group: accuracy),
                .init("equal sample", group: share),
                .init("all neurons", group: share), .init("paper", group: share),
            ],
            rows: [
                row("indirect", AblationPredictions.indirect, .indirect),
                row("second-order", AblationCondition.withoutAllNeurons.rawValue, .secondOrder),
            ],
            footnotes: [
                "paper: ViT-B/32 of OpenAI, layer 9, ImageNet validation; \(measures.comparability).",
                isChosen ? nil : "The layer was chosen by these accuracies themselves.",
                "equal sample: \(measures.sampledNeurons) neurons chosen at random, of each the \(min(measures.spec.study.significantImages, measures.sampledImages)) largest effects on \(measures.sampledImages) fit images; all neurons: the \(measures.spec.study.significantImages) largest on \(measures.fitCount). The more images, the more alike are the largest, so that only equal samples may be compared.",
            ].compactMap { $0 })
    }
}
