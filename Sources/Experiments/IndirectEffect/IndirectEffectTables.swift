import Pipeline

/// What first directions explain, how few images hold a neuron's effects, and how far the directions agree.
struct IndirectEffectTables {
    let measures: IndirectEffectMeasures

    init(_ measures: IndirectEffectMeasures) { self.measures = measures }

    var layouts: [TableLayout] { [explained, distributions, concentration, alignment] }

    private func rows(_ cells: (Int, EffectKind) -> [TableLayout.Cell]) -> [TableLayout.Row] {
        measures.layers.flatMap { layer in
            EffectKind.allCases.map { .init("\(layer), \($0.rawValue)", cells(layer, $0)) }
        }
    }

    private var neurons: String {
        "\(measures.spec.sample.neurons) neurons of each layer chosen at random, the first \(measures.sampledImages) fit images"
    }

    private var sample: String { "\(neurons), of each neuron the \(measures.kept) largest effects of either kind" }

    private var explained: TableLayout {
        let samples: [(EffectKind.Sample, String)] = [
            (.equal, "the same neurons and \(measures.sampledImages) images"),
            (.all, "all neurons and \(measures.fitCount) images"),
        ]
        return TableLayout(
            title: "Along a neuron's first principal direction (%)",
            rowHeader: "layer, effect",
            columns: samples.flatMap { _, title in
                [
                    .init("largest", group: title), .init("all images", group: title),
                    .init("largest, centred", group: title),
                ]
            },
            rows: rows { layer, effect in
                samples.flatMap { sample, _ in
                    EffectKind.Share.allCases.map { share in
                        effect == .indirect && sample == .all
                            ? .text("–") : .init(EffectKind.shareMetric, effect.subject(share, layer: layer, sample))
                    }
                }
            },
            footnotes: [
                "largest: share of Σ‖φ − φ̄‖² over the images with the largest effects, φ̄ the mean over all images. all images: the same direction, over all of them. largest, centred: share of the spread of the largest effects about their own mean, which principal component analysis calls explained variance.",
                "Left: \(sample). Only there may the two effects be compared: the more images, the more alike are the largest of them. Right: the \(measures.spec.study.significantImages) largest.",
                "Means over neurons; brackets: 95 % interval, bootstrap over neurons.",
            ])
    }

    private var distributions: TableLayout {
        TableLayout(
            title: "The same of the largest effects (%), over the neurons of a layer",
            rowHeader: "layer, effect",
            columns: IndirectEffectMeasures.quantiles.map {
                $0.probability == 0.5 ? .init("median") : .init("\(Int(($0.probability * 100).rounded())) % quantile")
            } + [.init("without a gap")],
            rows: rows { layer, effect in
                IndirectEffectMeasures.quantiles.map {
                    .init(
                        EffectKind.shareMetric, IndirectEffectMeasures.subject(effect, layer: layer, statistic: $0.name)
                    )
                } + [.init("neurons-without-gap", ["layer": "\(layer)", "effect": effect.rawValue])]
            },
            footnotes: [
                "Of \(sample).",
                "without a gap: neurons whose second singular value is more than \(measures.spec.gap) of the first. Their first direction is anybody's: rounding decides which is found, so that searches leave them out.",
            ])
    }

    private var concentration: TableLayout {
        let held = IndirectEffectMeasures.held.map(\.name)
        return TableLayout(
            title: "Selectivity: the share of images (%) that holds half and nine tenths of a neuron's Σ‖φ − φ̄‖²",
            rowHeader: "layer, effect",
            columns: held.flatMap { [.init("measured", group: $0), .init("Gaussian", group: $0)] } + [
                .init("half, measured less Gaussian")
            ],
            rows: rows { layer, effect in
                held.flatMap { held in
                    IndirectEffectMeasures.Holder.allCases.map {
                        TableLayout.Cell(
                            "images-holding", IndirectEffectMeasures.subject(effect, layer: layer, holding: held, $0))
                    }
                } + [
                    .init(
                        "images-holding-difference",
                        ["layer": "\(layer)", "effect": effect.rawValue, "holding": "half"])
                ]
            },
            footnotes: [
                "Gaussian: effects drawn from the normal distribution with the same covariance, as many as there are images. Below it, a neuron's effects are rarer and larger than their size and shape make them.",
                "Of \(neurons). Means over neurons; brackets: 95 % interval, bootstrap over neurons.",
            ])
    }

    private var alignment: TableLayout {
        let references = IndirectEffectMeasures.Reference.allCases
        return TableLayout(
            title:
                "Directions of indirect effects: |cosine| with other directions of the same neuron, and of other neurons",
            rowHeader: "layer",
            columns: ["second-order direction", "direction written directly"].flatMap {
                [.init("its own", group: $0), .init("another neuron's", group: $0)]
            } + [.init("along PC #1, second-order less indirect (%)")],
            rows: measures.layers.map { layer in
                .init(
                    "\(layer)",
                    references.flatMap { reference in
                        ["own", "other"].map {
                            .init(
                                "direction-alignment",
                                IndirectEffectMeasures.subject(reference, layer: layer, pairing: $0))
                        }
                    } + [
                        .init("pc1-share-difference", IndirectEffectMeasures.differenceSubject(.largest, layer: layer))
                    ])
            },
            footnotes: [
                "The neurons sampled; means with 95 % intervals, bootstrap over neurons. another neuron's: of the same layer, mean over all.",
                "written directly: Pᵀ(γ* ∘ w), by the neuron at the class token, without any later layer; second-order effects leave it out.",
                "along PC #1: of the largest effects, the same neurons and images. The paper has no such numbers.",
            ])
    }
}
