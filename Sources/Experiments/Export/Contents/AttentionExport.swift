import CLIPModel
import DenseMath
import Pipeline

/// `runner export attention`: what the class token attends to, in every head of every layer.
struct AttentionExport: PictureExport {
    let name = "attention"

    func tensors(_ configuration: CLIPConfiguration, images: Int) -> [ExportTensor] {
        let vision = configuration.vision
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

    func plan(_ model: StudyModel, _ images: ImageSource, in graph: inout Graph) throws -> ExportWriter {
        let attention = try graph.add(ClassAttentionStep(model: model, images: images))
        return { result, file in
            try result.artefact(attention).forEach {
                try file.write("attention", $0.rows.elements, from: $1.lowerBound)
            }
        }
    }
}

/// The attention of the class token to all tokens, after the softmax.
struct ClassAttention: ColumnTable {
    /// // [images, layers · heads · tokens]
    var rows = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("rows", \.rows)]
}

/// Measures ``ClassAttention`` on every image.
struct ClassAttentionStep: ImageStep {
    typealias Part = ClassAttention
    typealias Output = Shards<ClassAttention>
    static let (kind, version) = ("class-attention", 1)

    let model: StudyModel
    let images: ImageSource

    var inputs: [AnyStepHandle] { [] }
    var memory: MemoryEstimate? {
        let vision = model.configuration.vision
        let perImage = 4 * vision.layers * vision.heads * vision.tokens
        return model.memory(layers: []).adding(parts: (imagesPerShard + model.batch) * perImage)
    }
    var cost: CostEstimate? { model.passCost(towers: 1) }
    var none: ClassAttention { ClassAttention() }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<ClassAttention> {
        let vision = try model.clip.value().vision
        let (layers, perLayer) = (vision.configuration.layers, vision.configuration.heads * vision.tokens)
        let workspace = TowerWorkspace(vision, capacity: model.batch, capturing: [.classAttention])
        return images.batches(workspace) { part, pass, _ in
            var rows = Tensor(zeros: [pass.batch, layers * perLayer])
            for layer in 0..<layers {
                let captured = pass.tower.capture(layer)[.classAttention]
                for image in 0..<pass.batch {
                    let start = (image * layers + layer) * perLayer
                    rows.elements.replaceSubrange(
                        start..<start + perLayer,
                        with: UnsafeBufferPointer(start: captured + image * perLayer, count: perLayer))
                }
            }
            try part.append(ClassAttention(rows: rows))
        }
    }
}
