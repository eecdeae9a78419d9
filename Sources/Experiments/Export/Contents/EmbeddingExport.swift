import CLIPModel
import DenseMath
import Pipeline

/// Embeddings as the model computes them.
struct Embeddings: ColumnTable {
    /// Not normalised. // [rows, d]
    var vectors = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("vectors", \.vectors, of: "rows")]

    init() {}
    init(_ vectors: Tensor) { self.vectors = vectors }
}

extension ExportTensor {
    /// - Parameter symbol: of the embedding, in equations.
    fileprivate static func embeddings(_ axis: Axis, width: Int, symbol: String) -> [ExportTensor] {
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
}

extension ExportFile {
    /// Writes embeddings as directions and lengths; a row of zeros stays one.
    fileprivate func write(_ embeddings: Embeddings, from first: Int) throws {
        let vectors = embeddings.vectors
        let lengths = (0..<vectors.shape[0]).map { row in
            vectors[row: row].reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        }
        try write("embeddings", vectors.rowsNormalised().elements, from: first)
        try write("norms", lengths, from: first)
    }
}

/// `runner export images`: r(I), as direction and length.
struct EmbeddingExport: PictureExport {
    let name = "images"

    func tensors(_ configuration: CLIPConfiguration, images: Int) -> [ExportTensor] {
        ExportTensor.embeddings(.init("images", images), width: configuration.embeddingWidth, symbol: "r(I)")
    }

    func plan(_ model: StudyModel, _ images: ImageSource, in graph: inout Graph) throws -> ExportWriter {
        let embeddings = try graph.add(ImageEmbeddingsStep(model: model, images: images))
        return { result, file in
            try result.artefact(embeddings).forEach { try file.write($0, from: $1.lowerBound) }
        }
    }
}

/// Embeds every image.
struct ImageEmbeddingsStep: ImageStep {
    typealias Part = Embeddings
    typealias Output = Shards<Embeddings>
    static let (kind, version) = ("image-embeddings", 1)

    let model: StudyModel
    let images: ImageSource

    var inputs: [AnyStepHandle] { [] }
    var memory: MemoryEstimate? { model.memory(layers: []) }
    var cost: CostEstimate? { model.passCost(towers: 1) }
    var none: Embeddings { Embeddings() }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<Embeddings> {
        let workspace = TowerWorkspace(try model.clip.value().vision, capacity: model.batch)
        let d = model.configuration.embeddingWidth
        return images.batches(workspace) { part, pass, _ in
            let vectors = UnsafeBufferPointer(start: pass.representations, count: pass.batch * d)
            try part.append(Embeddings(Tensor(shape: [pass.batch, d], elements: Array(vectors))))
        }
    }
}

/// `runner export texts`: embeddings of texts, as directions and lengths, and the ids of their tokens.
struct TextExport: Sendable {
    static let name = "texts"

    private let texts: [String]

    init(_ texts: [String]) { self.texts = texts }

    func tensors(_ configuration: CLIPConfiguration) -> [ExportTensor] {
        let axis = ExportTensor.Axis("texts", texts.count)
        return ExportTensor.embeddings(axis, width: configuration.embeddingWidth, symbol: "t") + [
            ExportTensor(
                "token-ids", [axis, .init("tokens", configuration.text.contextLength)], type: .int32,
                unit: "ids of the vocabulary",
                meaning: "what the tokenizer made of the texts, start and end included; −1 after the end")
        ]
    }

    func plan(_ model: StudyModel, in graph: inout Graph) throws -> ExportWriter {
        let embeddings = try graph.add(TextEmbeddingsStep(model: model, texts: texts))
        return { [texts] result, file in
            let tokenizer = try model.clip.value().tokenizer
            try file.write(
                "token-ids",
                tokenizer.encode(texts).flatMap {
                    $0.map(Int32.init) + Array(repeating: -1, count: tokenizer.contextLength - $0.count)
                })
            try file.write(result.artefact(embeddings), from: 0)
        }
    }
}

/// Embeds texts as they are.
///
/// It throws ``ExperimentError/textNotFinite(text:)``.
struct TextEmbeddingsStep: StepDefinition {
    let model: StudyModel
    let texts: [String]

    /// Texts that are embedded and stored together.
    private static let perShard = 1024

    func step() throws -> Step<Embeddings> {
        Step(
            kind: "text-embeddings", version: 1,
            parameters: ["texts": .texts(texts), "text-activation": .text(model.textActivation.rawValue)],
            digests: ["model": model.digest], cost: model.textCost(texts: 1),
            work: try .joined(units: texts.count, unitsPerShard: Self.perShard) { inputs in
                let clip = try model.clip.value()
                return { shard in
                    try inputs.checkCancellation()
                    let part = Array(texts[shard.units])
                    return Embeddings(try clip.text(clip.tokenizer.encode(part)).finite(rows: part))
                }
            })
    }
}
