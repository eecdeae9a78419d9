import Attribution
import Pipeline

/// How well each kind of map shows what it was asked for, and how surgery depends on its settings.
struct ExplainabilityTables {
    let measures: ExplainabilityMeasures

    init(_ measures: ExplainabilityMeasures) { self.measures = measures }

    var layouts: [TableLayout] { [table, attention] + sentences + sensitivity }

    private var table: TableLayout {
        let (spec, names) = (measures.spec, measures.classNames)
        let row = spec.secondOrder.map {
            " Second order: \($0.neurons) neurons of layers \(SensitivityGrid.name($0.layers))."
        }
        return TableLayout(
            title: "Explainability (%): the map of every label that an image shows, against the label's pixels",
            rowHeader: "map",
            columns: [.init("mIoU at the best threshold"), .init("threshold"), .init("mSC")],
            rows: measures.cases.map { item in
                let subject = ExplainabilityMeasures.subject(item)
                return .init(
                    item.title,
                    [
                        .init("explainability-iou", subject), .init("best-threshold", subject, .value),
                        .init("score-contrast", subject),
                    ])
            },
            footnotes: [
                "mIoU: of the label's pixels with the map, from 0 to 1, above one threshold for all images, found by grid search over 0, 1, … 100 % on these images; …-thresholds.csv beside the rows has the whole curve. mSC, mean score contrast: the map's mean on the label's pixels less its mean elsewhere; negative where the background is lit. Intervals leave the threshold as it was found.",
                "Means over \(measures.scores.pairs) pairs of an image and a label. \(VocabularyFootnote.text(names, measures.templates)) Surgery in the last \(spec.surgery.depth) blocks; whole pictures in \(spec.surgery.inputSize) × \(spec.surgery.inputSize) pixels.\(row ?? "")",
                "The whole picture: what a map that marks everything gets; a best threshold near 0 is the same. Rollout and raw attention do not look at the label, TextSpan compares it with the mean of all labels, feature surgery with all labels or the empty text; the variants are read as plain cosines, as is 'architecture surgery only'.",
                "arXiv 2304.05653 gives CLIP's mSC as −14 to −28 and surgery's as 41 to 45, over its backbones and data sets; its table by backbone could not be had.",
            ])
    }

    private var attention: TableLayout {
        let kinds = AttentionWithinLabels.Kind.allCases
        let depth = measures.spec.surgery.depth
        return TableLayout(
            title:
                "Where patches of a label look (%): attention to other patches that stays on the label, last \(depth) blocks",
            rowHeader: "attention",
            columns: [.init("stays")],
            rows: zip(
                kinds,
                [
                    "queries with keys, the tower's own", "values with values, surgery's",
                    "the label's share of the other patches",
                ]
            ).map {
                .init($1, [.init("attention-within-label", ExplainabilityMeasures.subject($0))])
            },
            footnotes: [
                "Mean over heads, blocks, the patches of which the label covers more than half, and pairs of an image and a label; what attending to all others alike would give stands in the last row. A patch's attention to itself is left out. The class token's embedding with and without surgery: see class-token-change in the CSV."
            ])
    }

    /// Empty where no others were tried.
    private var sentences: [TableLayout] {
        guard let first = measures.sentences.first else { return [] }
        func header(_ name: String) -> String {
            name == ExplainabilityMeasures.ownSentences ? "the \(measures.templates.count) sentences above" : name
        }
        let accuracy = measures.sentences.map { _ in TableLayout.Cell.text("–") }
        return [
            TableLayout(
                title: "Beyond the paper (%): the same with other sentences, first \(first.scores.images) images",
                rowHeader: "map",
                columns: measures.sentences.flatMap { name, _ in
                    [.init("mIoU", group: header(name)), .init("mSC", group: header(name))]
                },
                rows: ExplainabilityCase.surgery(depth: measures.spec.surgery.depth).map { item in
                    .init(
                        item.title,
                        measures.sentences.flatMap { name, _ -> [TableLayout.Cell] in
                            let subject = ExplainabilityMeasures.subject(item, sentences: name)
                            return [.init("explainability-iou", subject), .init("score-contrast", subject)]
                        })
                } + [
                    .init(
                        "images whose answer is shown",
                        zip(measures.sentences, accuracy).flatMap { [.init("accuracy", ["sentences": $0.name]), $1] })
                ])
        ]
    }

    private var sensitivity: [TableLayout] {
        let spec = measures.spec.sensitivity
        let images = measures.sensitivity.first?.scores.images ?? 0
        return [("explainability-iou", "mIoU"), ("score-contrast", "mSC")].map { metric, title in
            TableLayout(
                title:
                    "Beyond the paper: \(title) (%) of CLIP Surgery by depth and size of the input, first \(images) images",
                rowHeader: "last blocks", columns: spec.inputSizes.map { .init("\($0)", group: "pixels") },
                rows: spec.depths.map { depth in
                    .init(
                        "\(depth)",
                        spec.inputSizes.map {
                            .init(metric, ExplainabilityMeasures.subject(inputSize: $0, depth: depth))
                        })
                })
        }
    }
}
