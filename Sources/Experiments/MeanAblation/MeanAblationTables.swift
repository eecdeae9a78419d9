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
                + [.init("significant"), .init("PC #1 explains")],
            rows: layers.map { layer in
                .init(
                    "\(layer)",
                    [.init("accuracy", ["condition": AblationCondition.baseline.rawValue])]
                        + Self.conditions.map { .init("accuracy", ["layer": "\(layer)", "condition": $0.condition]) }
                        + [
                            .init("significant-share", ["layer": "\(layer)"]),
                            .init("explained-variance-pc1", ["layer": "\(layer)", "effect": "second-order"]),
                        ])
            },
            footnotes: [
                "Brackets: 95 % interval, bootstrap over images (over neurons in the last column).",
                "random neurons: a control, on each image as many as are significant there.",
                "indirect: activations replaced by their means and the later layers run again.",
                "significant: share of images for which a neuron is significant, mean over the layer's neurons.",
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
                    [condition.group == nil ? nil : "without", condition.header].compactMap { $0 }.joined(separator: " "),
                    layers.map { .init(Double($0), .metric("accuracy", ["layer": "\($0)", "condition": condition.condition])) })
            },
            reference: .init(
                "baseline", layers.map { .init(Double($0), .metric("accuracy", ["condition": AblationCondition.baseline.rawValue])) }))
    }

    private var table1: TableLayout {
        func row(_ header: String, _ condition: String, _ effect: String) -> TableLayout.Row {
            let accuracy: Subject = ["layer": "\(tableLayer)", "condition": condition]
            let variance: Subject = ["layer": "\(tableLayer)", "effect": effect]
            return .init(
                header,
                [
                    .init("accuracy", accuracy), .init("accuracy", accuracy, .paper),
                    .init("explained-variance-pc1", variance), .init("explained-variance-pc1", variance, .paper),
                ])
        }
        let isChosen = measures.spec.tableLayer != nil
        let groups = ["accuracy after mean-ablation", "variance explained by PC #1"]
        return TableLayout(
            title: "Table 1 (%): effects of the neurons of layer \(tableLayer)\(isChosen ? "" : ", whose ablation costs most here")",
            rowHeader: "effect",
            columns: groups.flatMap { [.init("measured", group: $0), .init("paper", group: $0)] },
            rows: [
                row("indirect", AblationPredictions.indirect, "indirect"),
                row("second-order", AblationCondition.withoutAllNeurons.rawValue, "second-order"),
            ],
            footnotes: [
                "paper: ViT-B/32 of OpenAI, layer 9, ImageNet validation; \(measures.standing).",
                "\(isChosen ? "" : "The layer was chosen by these accuracies themselves. ")Variance explained: second-order over all neurons and",
                "\(measures.fitCount) fit images; indirect over \(measures.sampledNeurons) neurons chosen at random and \(measures.spec.indirect?.images ?? 0) fit images.",
            ])
    }
}
