import CLIPModel
import DenseMath
import Lens
import Pipeline

/// How phrases are scored on an image: what they get from each active neuron whose description has them
/// with the coefficient γ.
enum ConceptScore: String, CaseIterable, Sendable {
    /// γ ‖φ_n − φ̄_n‖, as the paper has it: an effect against its direction counts as one along it.
    case norm
    /// γ ⟨φ_n − φ̄_n, r_n⟩: with the sign that the effect has on this image.
    case signed
    /// No neurons: the cosine of image and phrase, what a user without the lens would do.
    case similarity
}

/// The best phrases of every image under each score.
struct ConceptPhrases: ColumnTable {
    /// Phrases kept for an image and score.
    private(set) var kept = 0
    /// Rows of the pool, best first. // [images, scores, kept]
    var phrases: [Int32] = []
    /// // [images, scores, kept]
    var scores: [Float] = []
    /// Active neurons. // [images]
    var active: [Int32] = []

    static let columns: [Column<Self>] = [
        .shared("kept", \.kept), .rows("phrases", \.phrases) { [ConceptScore.allCases.count, $0.kept] },
        .rows("scores", \.scores) { [ConceptScore.allCases.count, $0.kept] }, .rows("active", \.active),
    ]

    init() {}
    init(kept: Int) { self.kept = kept }

    /// Rows of the pool, best first.
    func phrases(image: Int, score: ConceptScore) -> ArraySlice<Int32> {
        let position = image * ConceptScore.allCases.count + (ConceptScore.allCases.firstIndex(of: score) ?? 0)
        return phrases[position * kept..<(position + 1) * kept]
    }

    /// Adds one score's list of the image that is being filled.
    mutating func append(_ values: [Float]) {
        var heap = BoundedHeap(capacity: kept)
        for (phrase, value) in values.enumerated() where value.isFinite {
            _ = heap.insert(.init(score: value, index: Int32(phrase)))
        }
        let best = heap.sorted()
        phrases += best.map(\.index) + repeatElement(-1, count: kept - best.count)
        scores += best.map(\.score) + repeatElement(0, count: kept - best.count)
    }
}

/// Scores the pool's phrases on every image.
struct ConceptPhrasesStep: ImageStep {
    typealias Output = ConceptPhrases
    static let (kind, version) = ("concept-phrases", 2)

    let model: StudyModel
    /// Whose neurons speak, among the study's.
    let layers: [Int]
    let images: ImageSource
    let fitted: Study.Fitted
    let pool: StepHandle<StoredTextPool>
    let texts: StepHandle<FittedSparseTexts>
    /// Index of the number of phrases that describe a neuron.
    let size: Int
    /// Best phrases of an image.
    let kept: Int
    private let parts: ProjectedEffects.Parts

    init(
        _ model: StudyModel, layers: [Int], images: ImageSource, fitted: Study.Fitted,
        pool: StepHandle<StoredTextPool>,
        texts: StepHandle<FittedSparseTexts>, size: Int, kept: Int
    ) {
        (self.model, self.layers, self.images, self.fitted) = (model, layers, images, fitted)
        (self.pool, self.texts, self.size, self.kept) = (pool, texts, size, kept)
        parts = ProjectedEffects.Parts(model, layers: layers, directions: fitted.directions)
    }

    var parameters: Parameters {
        ["layers": .integers(layers), "images": .integer(images.count), "size": .integer(size), "kept": .integer(kept)]
    }
    var inputs: [AnyStepHandle] { [fitted.means.erased, fitted.directions.erased, pool.erased, texts.erased] }
    var memory: MemoryEstimate? { model.memory(layers: layers) }
    var cost: CostEstimate? {
        model.passCost(
            layers: layers, fixed: { $0.factors($1) + $0.readings($1) },
            perImage: { $0.centred($1) + $0.norms($1, share: 1) + $0.projections($1) })
    }
    var none: ConceptPhrases { ConceptPhrases(kept: kept) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<ConceptPhrases> {
        let pool = try inputs[pool].pool
        let (means, directions, texts) = (try inputs[fitted.means], try inputs[fitted.directions], try inputs[texts])
        let workspace = EffectWorkspace(try model.clip.value().vision, layers: layers, capacity: model.batch)
        let speakers = try zip(try inputs.parts(parts.lenses), try inputs.parts(parts.readings)).map { part, readings in
            let layer = part.lens.layer
            return LayerSpeakers(
                CentredEffects(
                    part.lens, factors: part.factors, means: try means.layer(layer).means, capacity: model.batch),
                thresholds: try directions.layer(layer).thresholds,
                reconstruction: EffectReconstruction(readings, capacity: model.batch), codes: try texts.layer(layer),
                size: size)
        }
        return images.batches(workspace) { phrases, pass, _ in phrases.append(pass, speakers, pool) }
    }
}

/// The neurons of one layer and what they say. Belongs to one worker.
private final class LayerSpeakers {
    private let effects: CentredEffects
    private let thresholds: [Float]
    private let reconstruction: EffectReconstruction
    private let codes: SparseCodes
    private let size: Int

    init(
        _ effects: CentredEffects, thresholds: [Float], reconstruction: EffectReconstruction, codes: SparseCodes,
        size: Int
    ) {
        self.effects = effects
        self.thresholds = thresholds
        self.reconstruction = reconstruction
        self.codes = codes
        self.size = size
    }

    /// The norms of the effects of a batch, and how far each goes along its neuron's direction. // [N, batch] each
    func run(_ pass: EffectPass) -> (norms: UnsafePointer<Float>, along: UnsafePointer<Float>) {
        let effects = effects.run(pass)
        let along = reconstruction.run(effects, meanAblated: pass.representations).coefficients
        return (effects.norms(), along)
    }

    /// Adds what the active neurons say of one image of a batch.
    /// - Parameter effects: as ``run(_:)`` returns them.
    /// - Returns: how many are active: t_n is the norm that all but the fit set's largest effects stay below,
    ///   which for 100 of 5000 images is the 98th percentile.
    func speak(
        _ effects: (norms: UnsafePointer<Float>, along: UnsafePointer<Float>), image: Int, batch: Int,
        norm: inout [Float], signed: inout [Float]
    ) -> Int {
        let (N, m) = (thresholds.count, codes.coefficients.shape[2])
        var active = 0
        for n in 0..<N {
            let length = effects.norms[n * batch + image]
            guard length > thresholds[n] else { continue }
            active += 1
            let along = effects.along[n * batch + image]
            for position in 0..<codes.sizes[size] {
                let phrase = Int(codes.atoms[n * m + position])
                guard phrase >= 0 else { break }
                let coefficient = codes.coefficients.elements[(size * N + n) * m + position]
                norm[phrase] += coefficient * length
                signed[phrase] += coefficient * along
            }
        }
        return active
    }
}

extension ConceptPhrases {
    /// Adds a batch.
    fileprivate mutating func append(_ pass: EffectPass, _ layers: [LayerSpeakers], _ pool: TextPool) {
        let speaking = layers.map { ($0, $0.run(pass)) }
        let (batch, d, count) = (pass.batch, pass.vision.embeddingWidth, pool.phrases.count)
        var similarities = [Float](repeating: 0, count: batch * count)
        BLAS.multiply(
            batch, count, d, pass.representations, stride: d, pool.embeddings.elements, stride: d,
            otherTransposed: true, into: &similarities, stride: count)
        for image in 0..<batch {
            var (norm, signed) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
            let active = speaking.reduce(0) { sum, layer in
                sum + layer.0.speak(layer.1, image: image, batch: batch, norm: &norm, signed: &signed)
            }
            for score in ConceptScore.allCases {
                switch score {
                case .norm: append(norm)
                case .signed: append(signed)
                case .similarity: append(Array(similarities[image * count..<(image + 1) * count]))
                }
            }
            self.active.append(Int32(active))
        }
    }
}
