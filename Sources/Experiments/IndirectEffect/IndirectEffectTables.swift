import Pipeline

/// The distributions over neurons, and how far the directions agree.
struct IndirectEffectTables {
    let measures: IndirectEffectMeasures

    init(_ measures: IndirectEffectMeasures) { self.measures = measures }

    var layouts: [TableLayout] { [distributions, alignment] }

    private var distributions: TableLayout {
        let statistics = ["mean"] + IndirectEffectMeasures.quantiles.map(\.name)
        return TableLayout(
            title: "Variance of a neuron's largest effects along their first principal direction (%), over the neurons of a layer",
            rowHeader: "layer, effect",
            columns: [.init("mean")]
                + IndirectEffectMeasures.quantiles.map {
                    $0.probability == 0.5 ? .init("median") : .init("\(Int(($0.probability * 100).rounded())) % quantile")
                },
            rows: measures.layers.flatMap { layer in
                IndirectEffectMeasures.Effect.allCases.map { effect in
                    .init(
                        "\(layer), \(effect.rawValue)",
                        statistics.map {
                            .init(
                                "explained-variance-pc1",
                                IndirectEffectMeasures.subject(effect, layer: layer, statistic: $0))
                        })
                }
            },
            footnotes: [
                "Brackets: 95 % interval, bootstrap over neurons. second-order: all neurons, \(measures.fitCount) fit images;",
                "indirect: \(measures.spec.sample.neurons) neurons of each layer chosen at random, \(measures.sampledImages) fit images.",
                "Of either effect the \(min(measures.spec.study.significantImages, measures.sampledImages)) largest of each neuron. Means as in Table 1, which mean-ablation prints with the paper's.",
            ])
    }

    private var alignment: TableLayout {
        TableLayout(
            title: "Second-order and indirect directions of the same neuron",
            rowHeader: "layer",
            columns: [
                .init("its own", group: "|cosine| with an indirect direction"),
                .init("another neuron's", group: "|cosine| with an indirect direction"),
                .init("PC #1 explains more of second-order effects by (%)"),
            ],
            rows: measures.layers.map { layer in
                .init(
                    "\(layer)",
                    [
                        .init("direction-alignment", ["layer": "\(layer)", "pairing": "own"]),
                        .init("direction-alignment", ["layer": "\(layer)", "pairing": "other"]),
                        .init("explained-variance-pc1-difference", ["layer": "\(layer)"]),
                    ])
            },
            footnotes: [
                "The neurons sampled; means with 95 % intervals, bootstrap over neurons. another neuron's: of the same layer, mean over all.",
                "The paper has no such number.",
            ])
    }
}
