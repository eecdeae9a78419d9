import Pipeline

/// The attention heads with the texts that span what they write.
struct HeadTexts {
    private let measures: FirstOrderMeasures

    init(_ measures: FirstOrderMeasures) { self.measures = measures }

    /// All heads, the largest variance first.
    private var heads: [Int] {
        let variances = measures.spans.heads.map(\.variance)
        return variances.indices.sorted { (variances[$1], $0) < (variances[$0], $1) }
    }

    private func phrase(_ head: Int, _ position: Int) -> String {
        measures.phrases[Int(measures.spans.heads[head].texts[position].text)]
    }

    var table: TableLayout {
        let spec = measures.spec
        let texts = spec.textsPerHead
        let shown = heads.prefix(spec.headsInTable)
        return TableLayout(
            title: "TextSpan: texts of the \(shown.count) attention heads with the largest variance (pool \(spec.pool.name))",
            rowHeader: "head",
            columns: [
                .init("of all heads' variance (%)"),
                .init("its texts", group: "variance explained (%)"), .init("random texts", group: "variance explained (%)"),
                .init("principal directions", group: "variance explained (%)"),
                .init("its texts, in the order in which they were chosen", isText: true),
            ],
            rows: shown.map { head in
                let chosen = measures.spans.heads[head].texts.count
                let all = measures.subject(ofHead: head, texts: texts)
                return .init(
                    measures.subject(ofHead: head).columns.map(\.value).joined(separator: "."),
                    [
                        .init("head-variance-share", measures.subject(ofHead: head), .value),
                        .init("textspan-explained-variance", measures.subject(ofHead: head, texts: chosen), .value),
                        .init("textspan-explained-variance-random", all, .value),
                        .init("principal-directions-explained-variance", all, .value),
                        .text((0..<chosen).map { phrase(head, $0) }.joined(separator: ", ")),
                    ])
            },
            footnotes: [
                "head: layer.head. \(texts) texts of \(measures.phrases.count), and as many drawn at random, and as many principal directions.",
                "Over \(measures.fitCount) fit images. All heads are in the list of heads (CSV). The paper has no numbers for this model.",
            ])
    }

    /// Every text of every head.
    var list: Attachment {
        let rows = heads.flatMap { head in
            measures.spans.heads[head].texts.enumerated().map { position, text -> [Attachment.Field] in
                [
                    .integer(head / measures.heads), .integer(head % measures.heads),
                    .number(measures.spans.heads[head].variance), .number(measures.varianceShare(ofHead: head)),
                    .integer(position + 1), .text(phrase(head, position)), .number(Double(text.explainedVariance)),
                ]
            }
        }
        return Attachment(
            "heads.csv",
            .list(
                header: ["layer", "head", "variance", "variance_share", "position", "text", "explained_variance"], rows: rows))
    }
}
