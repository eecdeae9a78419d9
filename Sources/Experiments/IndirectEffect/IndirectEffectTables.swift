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
        let references = IndirectEffectMeasures.Reference.allCases
        return TableLayout(
            title: "Directions of indirect effects: |cosine| with other directions of the same neuron, and of other neurons",
            rowHeader: "layer",
            columns: ["second-order direction", "direction written directly"].flatMap {
                [.init("its own", group: $0), .init("another neuron's", group: $0)]
            } + [.init("explained, second-order less indirect (%)")],
            rows: measures.layers.map { layer in
                .init(
                    "\(layer)",
                    references.flatMap { reference in
                        ["own", "other"].map {
                            .init(
                                "direction-alignment",
                                IndirectEffectMeasures.subject(reference, layer: layer, pairing: $0))
                        }
                    } + [.init("explained-variance-pc1-difference", ["layer": "\(layer)"])])
            },
            footnotes: [
                "The neurons sampled; means with 95 % intervals, bootstrap over neurons. another neuron's: of the same layer, mean over all.",
                "written directly: Pᵀ(γ* ∘ w), by the neuron at the class token, without any later layer; second-order effects leave it out.",
                "explained: by how much more PC #1 explains of the same neuron. The paper has no such numbers.",
            ])
    }
}
