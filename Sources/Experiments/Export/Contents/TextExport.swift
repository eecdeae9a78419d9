import CLIPModel
import DenseMath

/// `runner export texts`: embeddings of texts, as directions and lengths, and the ids of their tokens.
struct TextExport: Sendable {
    static let name = "texts"
    /// Texts that are embedded together: as many as the text tower takes at once.
    private static let batch = 64

    private let texts: [String]

    init(_ texts: [String]) { self.texts = texts }

    func tensors(_ clip: CLIP) -> [ExportTensor] {
        let axis = ExportTensor.Axis("texts", texts.count)
        return EmbeddingExport.tensors(axis: axis, width: clip.text.embeddingWidth, symbol: "t") + [
            ExportTensor(
                "token-ids", [axis, .init("tokens", clip.tokenizer.contextLength)], type: .int32,
                unit: "ids of the vocabulary",
                meaning: "what the tokenizer made of the texts, start and end included; −1 after the end")
        ]
    }

    /// - Throws: ``ExperimentError/textNotFinite(text:)``, `OutputError`, `PipelineError.interrupted`.
    func compute(_ clip: CLIP, into file: ExportFile, _ work: ExportWork) throws {
        let ids = clip.tokenizer.encode(texts)
        let context = clip.tokenizer.contextLength
        try file.write(
            "token-ids", ids.flatMap { $0.map(Int32.init) + Array(repeating: -1, count: context - $0.count) })

        let (embeddings, norms, texts) = (file.rows("embeddings"), file.rows("norms"), texts)
        try work.forEach((ids.count + Self.batch - 1) / Self.batch, stage: "batches of texts embedded") {
            { piece in
                let range = piece * Self.batch..<min((piece + 1) * Self.batch, ids.count)
                var rows = clip.text(Array(ids[range]))
                var lengths = [Float](repeating: 0, count: range.count)
                for (row, text) in range.enumerated() where !rows[row: row].allSatisfy(\.isFinite) {
                    throw ExperimentError.textNotFinite(text: texts[text])
                }
                try rows.elements.withUnsafeMutableBufferPointer { values in
                    guard let base = values.baseAddress else { return }
                    EmbeddingRows.normalise(base, rows: range.count, width: rows.shape[1], lengths: &lengths)
                    try embeddings.write(base, rows: range)
                }
                try norms.write(lengths, rows: range)
            }
        }
    }
}
