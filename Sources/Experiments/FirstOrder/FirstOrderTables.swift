import Lens
import Pipeline

/// Figures 11 and 12 as a table, and what each layer writes directly.
struct FirstOrderTables {
    let measures: FirstOrderMeasures

    init(_ measures: FirstOrderMeasures) { self.measures = measures }

    var layouts: [TableLayout] { [figures, layers] }

    private var figures: TableLayout {
        TableLayout(
            title:
                "Figures 11 and 12: zero-shot accuracy (%), direct effects of more and more layers replaced by their means",
            rowHeader: "layers ablated",
            columns: ["attention layers", "MLPs"].flatMap {
                [.init("from the first up", group: $0), .init("from the last down", group: $0)]
            },
            rows: (0...measures.layers).map { ablated in
                .init(
                    "\(ablated)",
                    FirstOrderCondition.allCases.map { condition in
                        .init(
                            "accuracy",
                            ablated == 0
                                ? ["condition": "baseline"] : measures.conditions.subject(condition, ablated: ablated))
                    })
            },
            footnotes: [
                "Brackets: 95 % interval, bootstrap over images. Later layers stay as if they had not seen the change.",
                "The paper shows these figures as plots, without numbers.",
            ])
    }

    /// Figures 11 and 12 as the paper has them.
    var figure: FigureLayout {
        FigureLayout(
            title: "Figures 11 and 12: zero-shot accuracy without direct effects",
            x: .init("layers ablated"), y: .init("accuracy (%)", isShare: true, startsAtZero: true),
            curves: FirstOrderCondition.allCases.map { condition in
                .init(
                    Self.title(condition),
                    (1...measures.layers).map {
                        .init(Double($0), .metric("accuracy", measures.conditions.subject(condition, ablated: $0)))
                    })
            },
            reference: .init(
                "baseline",
                (1...measures.layers).map { .init(Double($0), .metric("accuracy", ["condition": "baseline"])) }))
    }

    private static func title(_ condition: FirstOrderCondition) -> String {
        switch condition {
        case .attentionFromFirst: "attention, from the first layer up"
        case .attentionFromLast: "attention, from the last layer down"
        case .mlpsFromFirst: "MLPs, from the first layer up"
        case .mlpsFromLast: "MLPs, from the last layer down"
        }
    }

    private var layers: TableLayout {
        let kinds = FirstOrderPredictions.Kind.allCases
        return TableLayout(
            title: "Direct effects of the layers, of a representation of length 100",
            rowHeader: "layer",
            columns: ["attention layer", "MLP"].flatMap {
                [.init("length", group: $0), .init("distance from mean", group: $0)]
            },
            rows: (0..<measures.layers).map { layer in
                .init(
                    "\(layer)",
                    kinds.flatMap { kind in
                        ["direct-effect-norm", "direct-effect-deviation"].map {
                            .init($0, ["layer": "\(layer)", "kind": kind.rawValue], .value)
                        }
                    })
            },
            footnotes: [
                "Means over the evaluation images; 95 % intervals are in the CSV. Mean-ablation takes away the distance."
            ])
    }
}
