import Lens
import Pipeline

/// Figure 4 as a table, and how far descriptions hold on held-out images.
struct SparseTextTables {
    let measures: SparseTextMeasures

    init(_ measures: SparseTextMeasures) { self.measures = measures }

    var layouts: [TableLayout] { [figure4, faithfulness] }

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

    private var figure4: TableLayout {
        func reference(_ layer: Int, _ condition: AblationCondition) -> TableLayout.Cell {
            .init("accuracy", ["layer": "\(layer)", "condition": condition.rawValue], .value)
        }
        let sizes = zip(spec.pools, measures.pools).map { "\($0.name): \($1.phrases.count) phrases" }.joined(separator: "; ")
        return TableLayout(
            title: "Figure 4: zero-shot accuracy (%), each effect of a layer projected onto the sparse text of its neuron",
            rowHeader: "layer",
            columns: [.init("baseline"), .init("without all"), .init("from PC #1")] + sizeColumns,
            rows: measures.layers.enumerated().map { position, layer in
                .init(
                    "\(layer)",
                    [
                        .init("accuracy", ["condition": AblationCondition.baseline.rawValue], .value),
                        reference(layer, .withoutAllNeurons), reference(layer, .reconstructionFromPC1),
                    ] + columns(.value, "accuracy", layer: position))
            },
            footnotes: [
                "\(sizes).",
                "95 % intervals of every number are in the CSV.",
                "The paper shows this figure as a plot, without numbers.",
            ])
    }

    private var faithfulness: TableLayout {
        TableLayout(
            title: "Faithfulness: rank correlation of a neuron's effect with what its phrases say, over \(measures.heldOut) held-out images",
            rowHeader: "layer", columns: [.init("direction")] + sizeColumns,
            rows: measures.layers.enumerated().flatMap { position, layer in
                [("", "faithfulness"), (", shuffled", "faithfulness-shuffled")].map { name, metric in
                    TableLayout.Row(
                        "\(layer)\(name)",
                        [.init(metric, SparseTextMeasures.directionSubject(layer), .value)]
                            + columns(.value, metric, layer: position))
                }
            },
            footnotes: [
                "Mean over the layer's neurons. direction: the direction itself in place of its phrases, which could hardly say more.",
                "shuffled: with the description, or the direction, of another neuron of the layer.",
                "The paper has no such number.",
            ])
    }
}
