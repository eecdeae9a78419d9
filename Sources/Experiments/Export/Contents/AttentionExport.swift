import CLIPModel
import DenseMath

/// `runner export attention`: what the class token attends to, in every head of every layer.
struct AttentionExport: PictureExporter {
    let name = "attention"

    func tensors(_ clip: CLIP, images: Int) -> [ExportTensor] {
        let vision = clip.configuration.vision
        return [
            ExportTensor(
                "attention",
                [
                    .init("images", images), .init("layers", vision.layers), .init("heads", vision.heads),
                    .init("tokens", vision.tokens),
                ],
                unit: "none: rows sum to 1",
                meaning: "row 0 of the attention, after the softmax; token 0 is the class token, then "
                    + "\(vision.gridSize)×\(vision.gridSize) patches row by row",
                equation: "a_i^{l,h}(I) of arXiv 2406.04341, equation (1)")
        ]
    }

    func compute(_ clip: CLIP, _ pictures: PreparedPictures, into file: ExportFile, _ work: ExportWork) throws {
        let attention = file.rows("attention")
        let (vision, configuration) = (clip.vision, clip.configuration.vision)
        let (layers, perLayer) = (configuration.layers, configuration.heads * configuration.tokens)
        let capacity = configuration.batch
        try work.forEachBatch(of: pictures, capacity: capacity, stage: "images") {
            let workspace = VisionWorkspace(
                vision, capacity: capacity, capturing: Array(repeating: [.classAttention], count: layers))
            let rows = FloatBuffer(capacity * layers * perLayer)
            return { range, pixels in
                let pass = vision(pixels, batch: range.count, workspace)
                for layer in 0..<layers {
                    let captured = pass.capture(layer)[.classAttention]
                    for image in 0..<range.count {
                        (rows.base + (image * layers + layer) * perLayer).update(
                            from: captured + image * perLayer, count: perLayer)
                    }
                }
                try pictures.checkFinite(rows.base, width: layers * perLayer, of: range, place: "attention")
                try attention.write(rows.base, rows: range)
            }
        }
    }
}
