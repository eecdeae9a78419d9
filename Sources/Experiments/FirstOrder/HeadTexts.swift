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
            title:
                "TextSpan: texts of the \(shown.count) attention heads with the largest variance (pool \(spec.pool.name))",
            rowHeader: "head",
            columns: [
                .init("of all heads' variance (%)"),
                .init("its texts", group: "variance explained (%)"),
                .init("random texts", group: "variance explained (%)"),
                .init("principal directions", group: "variance explained (%)"),
                .init("its texts, in the order in which they were chosen", isText: true),
            ],
            rows: shown.map { head in
                let chosen = measures.spans.heads[head].texts.count
                let all = measures.subject(ofHead: head, texts: texts)
                return .init(
                    measures.subject(ofHead: head).columns.map(\.value).joined(separator: "."),
                    [
                        .init("head-variance-share", measures.subject(ofHead: head)),
                        .init("textspan-explained-variance", measures.subject(ofHead: head, texts: chosen)),
                        .init("textspan-explained-variance-random", all),
                        .init("principal-directions-explained-variance", all),
                        .text((0..<chosen).map { phrase(head, $0) }.joined(separator: ", ")),
                    ])
            },
            footnotes: [
                "head: layer.head. \(texts) texts of \(measures.phrases.count), and as many drawn at random, and as many principal directions.",
                "Brackets: 95 % interval, bootstrap over the \(measures.fitCount) fit images; texts and directions held fixed.",
                "All heads are in the list of heads (CSV). The paper has no numbers for this model.",
            ])
    }

    /// Every text of every head.
    var list: Attachment {
        let rows = heads.flatMap { head in
            let (values, intervals) = (measures.spans.heads[head], measures.intervals.heads[head])
            return values.texts.enumerated().map { position, text -> [Attachment.Field] in
                [.integer(head / measures.heads), .integer(head % measures.heads)]
                    + Self.fields(values.variance, intervals.variance)
                    + Self.fields(measures.varianceShare(ofHead: head), intervals.share)
                    + [.integer(position + 1), .text(phrase(head, position))]
                    + Self.fields(Double(text.explainedVariance), intervals.texts[position])
            }
        }
        func bounded(_ name: String) -> [String] { [name, "\(name)_lower", "\(name)_upper"] }
        return Attachment(
            "heads.csv",
            .list(
                header: ["layer", "head"] + bounded("variance") + bounded("variance_share") + ["position", "text"]
                    + bounded("explained_variance"),
                rows: rows))
    }

    /// A number and its interval; bounds that there are not are empty.
    private static func fields(_ value: Double, _ interval: Metric.Interval?) -> [Attachment.Field] {
        [.number(value), .number(interval?.lower ?? .nan), .number(interval?.upper ?? .nan)]
    }
}
