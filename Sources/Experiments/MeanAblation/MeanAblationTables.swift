import Lens
import Pipeline

/// The printed tables: Figure 3 by layer, and Table 1 for the strongest layer.
enum MeanAblationTables {
    static func layouts(layers: [Int], strongest: Int) -> [TableLayout] { [figure3(layers), table1(strongest)] }

    /// The conditions in the order of the columns, with their headers.
    private static let conditions: [(header: String, condition: String, group: String?)] = [
        ("all neurons", AblationCondition.withoutAllNeurons.rawValue, "accuracy without"),
        ("large norms", AblationCondition.withoutLargeNorms.rawValue, "accuracy without"),
        ("small norms", AblationCondition.withoutSmallNorms.rawValue, "accuracy without"),
        ("random neurons", AblationCondition.withoutRandomNeurons.rawValue, "accuracy without"),
        ("from PC #1", AblationCondition.reconstructionFromPC1.rawValue, nil),
        ("indirect", AblationPredictions.indirect, nil),
    ]

    private static func figure3(_ layers: [Int]) -> TableLayout {
        TableLayout(
            title: "Figure 3: zero-shot accuracy (%), second-order effects of one layer replaced by their means",
            rowHeader: "layer",
            columns: [.init("baseline")] + conditions.map { .init($0.header, group: $0.group) }
                + [.init("significant"), .init("PC #1 explains")],
            rows: layers.map { layer in
                .init(
                    "\(layer)",
                    [.init("accuracy", ["condition": AblationCondition.baseline.rawValue])]
                        + conditions.map { .init("accuracy", ["layer": "\(layer)", "condition": $0.condition]) }
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

    private static func table1(_ strongest: Int) -> TableLayout {
        func row(_ header: String, _ condition: String, _ effect: String) -> TableLayout.Row {
            let accuracy: Subject = ["layer": "\(strongest)", "condition": condition]
            let variance: Subject = ["layer": "\(strongest)", "effect": effect]
            return .init(
                header,
                [
                    .init("accuracy", accuracy), .init("accuracy", accuracy, .paper),
                    .init("explained-variance-pc1", variance), .init("explained-variance-pc1", variance, .paper),
                ])
        }
        let groups = ["accuracy after mean-ablation", "variance explained by PC #1"]
        return TableLayout(
            title: "Table 1 (%): effects of the neurons of layer \(strongest), whose ablation costs most here",
            rowHeader: "effect",
            columns: groups.flatMap { [.init("measured", group: $0), .init("paper", group: $0)] },
            rows: [
                row("indirect", AblationPredictions.indirect, "indirect"),
                row("second-order", AblationCondition.withoutAllNeurons.rawValue, "second-order"),
            ],
            footnotes: ["paper: ViT-B/32 of OpenAI, layer 9, ImageNet validation; another model on other pictures, so not comparable."])
    }
}
