import CLIPModel
import DenseMath

/// `runner export images`: r(I), as direction and length.
struct EmbeddingExport: PictureExporter {
    let name = "images"

    func tensors(_ clip: CLIP, images: Int) -> [ExportTensor] {
        Self.tensors(axis: .init("images", images), width: clip.vision.embeddingWidth, symbol: "r(I)")
    }

    static func tensors(axis: ExportTensor.Axis, width: Int, symbol: String) -> [ExportTensor] {
        [
            ExportTensor(
                "embeddings", [axis, .init("d", width)], unit: "none: rows of length 1",
                meaning:
                    "directions in the joint space; times `norms` they are the embeddings as the model computes them",
                equation: "\(symbol)/‖\(symbol)‖"),
            ExportTensor(
                "norms", [axis], unit: "of the joint space", meaning: "lengths of the embeddings before normalisation",
                equation: "‖\(symbol)‖"),
        ]
    }

    func compute(_ clip: CLIP, _ pictures: PreparedPictures, into file: ExportFile, _ work: ExportWork) throws {
        let (embeddings, norms) = (file.rows("embeddings"), file.rows("norms"))
        let (vision, d, capacity) = (clip.vision, clip.vision.embeddingWidth, clip.configuration.vision.batch)
        try work.forEachBatch(of: pictures, capacity: capacity, stage: "images embedded") {
            let workspace = VisionWorkspace(vision, capacity: capacity)
            let (rows, lengths) = (FloatBuffer(capacity * d), FloatBuffer(capacity))
            return { range, pixels in
                rows.base.update(
                    from: vision(pixels, batch: range.count, workspace).embeddings, count: range.count * d)
                try pictures.checkFinite(rows.base, width: d, of: range, place: "embedding")
                EmbeddingRows.normalise(rows.base, rows: range.count, width: d, lengths: lengths.base)
                try embeddings.write(rows.base, rows: range)
                try norms.write(lengths.base, rows: range)
            }
        }
    }
}

enum EmbeddingRows {
    /// Divides rows by their lengths; a row of zeros stays one.
    static func normalise(
        _ values: UnsafeMutablePointer<Float>, rows: Int, width: Int, lengths: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            let vector = values + row * width
            lengths[row] = BLAS.dot(vector, vector, count: width).squareRoot()
            guard lengths[row] > 0 else { continue }
            for j in 0..<width { vector[j] /= lengths[row] }
        }
    }
}
