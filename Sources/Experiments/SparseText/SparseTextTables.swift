import Lens
import Pipeline

/// Figure 4 as a table, and how far descriptions hold on held-out images.
struct SparseTextTables {
    let measures: SparseTextMeasures

    init(_ measures: SparseTextMeasures) { self.measures = measures }

    var layouts: [TableLayout] { [figure4, faithfulness, similarity] }

    private var spec: SparseTextSpec { measures.spec }

    private func columns(_ part: TableLayout.Cell.Part, _ metric: String, layer: Int) -> [TableLayout.Cell] {
        spec.pools.indices.flatMap { pool in
            spec.sizes.indices.map { size in
                .init(metric, measures.conditions.subject(layer: layer, pool: pool, size: size), part)
            }
        }
    }

    private var sizeColumns: [TableLayout.Column] {
        spec.pools.flatMap { pool in spec.sizes.map { .init("m = \($0)", group: "\(pool.name), phrases a neuron") } }
    }

    /// Two columns for each pool: the random dictionary, and what the pool's phrases do better.
    private var controlColumns: [TableLayout.Column] {
        spec.pools.flatMap { pool -> [TableLayout.Column] in
            let group = "random in place of \(pool.name), m = \(spec.sizes[spec.description.size])"
            return [.init("random", group: group), .init("\(pool.name) less random", group: group)]
        }
    }

    private func controls(_ metric: String, layer: Int) -> [TableLayout.Cell] {
        spec.pools.indices.flatMap { pool -> [TableLayout.Cell] in
            [
                .init(
                    metric, measures.conditions.subject(layer: layer, pool: measures.control(of: pool), size: 0), .value
                ),
                .init(
                    "\(metric)-over-random",
                    measures.conditions.subject(layer: layer, pool: pool, size: spec.description.size)),
            ]
        }
    }

    /// What random vectors are.
    private static let randomNote =
        "random: as many vectors drawn from the Gaussian with the mean and covariance of the pool's embeddings, described in the same way; the difference with its 95 % interval, of the same"

    private var figure4: TableLayout {
        func reference(_ layer: Int, _ condition: AblationCondition) -> TableLayout.Cell {
            .init("accuracy", ["layer": "\(layer)", "condition": condition.rawValue], .value)
        }
        let sizes = zip(spec.pools, measures.texts).map { "\($0.name): \($1.pool.phrases.count) phrases" }.joined(
            separator: "; ")
        return TableLayout(
            title:
                "Figure 4: zero-shot accuracy (%), each effect of a layer projected onto the sparse text of its neuron",
            rowHeader: "layer",
            columns: [.init("baseline"), .init("without all"), .init("from PC #1")] + sizeColumns + controlColumns,
            rows: measures.layers.enumerated().map { position, layer in
                .init(
                    "\(layer)",
                    [
                        .init("accuracy", ["condition": AblationCondition.baseline.rawValue], .value),
                        reference(layer, .withoutAllNeurons), reference(layer, .reconstructionFromPC1),
                    ] + columns(.value, "accuracy", layer: position) + controls("accuracy", layer: position))
            },
            footnotes: [
                "\(sizes).",
                "\(Self.randomNote) images. Where it is near zero, m of any vectors that lie where texts lie keep the effects as well, and the figure says nothing of words.",
                "95 % intervals of every number are in the CSV.",
                "The paper shows this figure as a plot, without numbers.",
            ])
    }

    /// Figure 4 as the paper has it, a plot for each pool, and how the numbers of single neurons are distributed.
    var figures: [FigureLayout] {
        spec.pools.enumerated().map { pool, source in
            FigureLayout(
                title:
                    "Figure 4: zero-shot accuracy from the sparse texts of each layer's neurons, pool \(source.name)",
                x: .init("phrases a neuron (m)", isLogarithmic: true), y: .init("accuracy (%)", isShare: true),
                curves: measures.layers.enumerated().map { position, layer in
                    .init(
                        "layer \(layer)",
                        spec.sizes.enumerated().map { size, m in
                            .init(
                                Double(m),
                                .metric(
                                    "accuracy", measures.conditions.subject(layer: position, pool: pool, size: size)))
                        })
                },
                reference: .init(
                    "baseline",
                    spec.sizes.map {
                        .init(Double($0), .metric("accuracy", ["condition": AblationCondition.baseline.rawValue]))
                    }))
        } + [
            distribution(
                "Second moments of a neuron's largest effects along PC #1", "share along PC #1 (%)", isShare: true,
                over: 0...1
            ) {
                measures.directions.layers[$0]?.directions.shares.map(Double.init) ?? []
            },
            distribution(
                "Faithfulness of single neurons, pool \(spec.pools[spec.description.pool].name), m = \(spec.sizes[spec.description.size])",
                "rank correlation with the effect on held-out images", isShare: false, over: -0.5...1
            ) {
                measures.texts[spec.description.pool].faithfulness.layers[$0]?.own[row: spec.description.size].map(
                    Double.init) ?? []
            },
        ]
    }

    private func distribution(
        _ title: String, _ axis: String, isShare: Bool, over range: ClosedRange<Double>, _ values: (Int) -> [Double]
    ) -> FigureLayout {
        FigureLayout(
            title: title, x: .init(axis, isShare: isShare),
            y: .init("neurons of the layer (%)", isShare: true, startsAtZero: true),
            curves: measures.layers.map { .init("layer \($0)", distributionOf: values($0), over: range, bins: 30) },
            hasMarks: false)
    }

    private var faithfulness: TableLayout {
        TableLayout(
            title:
                "Faithfulness: rank correlation of a neuron's effect with what its phrases say, over \(measures.heldOut) held-out images",
            rowHeader: "layer", columns: [.init("direction")] + sizeColumns + controlColumns,
            rows: measures.layers.enumerated().flatMap { position, layer in
                [("", "faithfulness"), (", shuffled", "faithfulness-shuffled")].map { name, metric in
                    TableLayout.Row(
                        "\(layer)\(name)",
                        [.init(metric, SparseTextMeasures.directionSubject(layer), .value)]
                            + columns(.value, metric, layer: position)
                            + (metric == "faithfulness"
                                ? controls(metric, layer: position) : controlColumns.map { _ in .text("") }))
                }
            },
            footnotes: [
                "Mean over the layer's neurons. direction: the direction itself in place of its phrases, which could hardly say more.",
                "shuffled: with the description, or the direction, of another neuron of the layer.",
                "\(Self.randomNote) neurons.",
                "The paper has no such number.",
            ])
    }

    private var similarity: TableLayout {
        let columns = ["of a neuron", "of a random direction", "of the pool"]
        return TableLayout(
            title: "Polysemy: how alike the phrases are that a neuron speaks for (cosine less the pool's mean)",
            rowHeader: "layer", columns: columns.map { .init($0, group: "two phrases") },
            rows: measures.layers.map { layer in
                .init(
                    "\(layer)",
                    columns.map { .init("phrase-similarity", SparseTextMeasures.similaritySubject(layer, $0)) })
            },
            footnotes: [
                "of a neuron: any two of the \(PhraseSimilarityStep.phrases) longest parts with a positive sign (pool \(spec.pools[spec.description.pool].name), m = \(spec.sizes[spec.description.size])). of a random direction: drawn from the Gaussian with the covariance of the layer's directions and described in the same way. of the pool: any two phrases.",
                "Pursuit hardly takes two phrases that say the same, so that lists of unlike phrases come of any direction. The paper shows lists, without numbers.",
            ])
    }
}
