import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

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
struct ConceptPhrases: Artefact {
    /// Phrases kept for an image and score.
    let kept: Int
    /// Rows of the pool, best first. // [images, scores, kept]
    var phrases: [Int32] = []
    /// // [images, scores, kept]
    var scores: [Float] = []
    /// Active neurons. // [images]
    var active: [Int32] = []

    init(kept: Int) { self.kept = kept }

    init(_ stored: StoredArtefact) throws {
        let table = try stored.tensor("phrases")
        guard table.shape.count == 3, table.shape[1] == ConceptScore.allCases.count else {
            throw PipelineError.invalidArtefact(part: "phrases", reason: "shape \(table.shape)")
        }
        kept = table.shape[2]
        phrases = try table.int32s()
        scores = try stored.tensor("scores").floats()
        active = try stored.tensor("active").int32s()
        guard scores.count == phrases.count, active.count == table.shape[0] else {
            throw PipelineError.invalidArtefact(part: "scores", reason: "\(scores.count) for \(phrases.count) phrases")
        }
    }

    func stored() throws -> StoredArtefact {
        let shape = [active.count, ConceptScore.allCases.count, kept]
        return .tensors([
            "phrases": try StoredTensor(phrases, shape: shape), "scores": try StoredTensor(scores, shape: shape),
            "active": try StoredTensor(active, shape: [active.count]),
        ])
    }

    /// Rows of the pool, best first.
    func phrases(image: Int, score: ConceptScore) -> ArraySlice<Int32> {
        let position = image * ConceptScore.allCases.count + (ConceptScore.allCases.firstIndex(of: score) ?? 0)
        return phrases[position * kept..<(position + 1) * kept]
    }

    mutating func append(_ next: ConceptPhrases) {
        phrases += next.phrases
        scores += next.scores
        active += next.active
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

enum ConceptPhrasesStep {
    /// - Parameters:
    ///   - layers: whose neurons speak, among the study's.
    ///   - size: index of the number of phrases that describe a neuron.
    ///   - kept: best phrases of an image.
    static func add(
        _ study: Study, images: ImageSource, fitted: Study.Fitted, pool: StepHandle<StoredTextPool>,
        texts: StepHandle<FittedSparseTexts>, layers: [Int], size: Int, kept: Int, in graph: inout Graph
    ) throws -> StepHandle<ConceptPhrases> {
        let model = study.model
        let factored = model.factoredLensParts(layers)
        let readings = factored.readings { try $0[fitted.directions].layer($1.layer).directions.directions }
        return try graph.add(
            Step(
                kind: "concept-phrases", version: 1,
                parameters: [
                    "layers": .integers(layers), "images": .integer(images.count), "size": .integer(size), "kept": .integer(kept),
                ],
                inputs: [
                    images.images.erased, fitted.means.erased, fitted.directions.erased, pool.erased, texts.erased,
                ], digests: ["model": model.digest], memory: model.memory(layers: layers),
                cost: model.passCost(
                    layers: layers, fixed: { $0.factors($1) + $0.readings($1) },
                    perImage: { $0.centred($1) + $0.norms($1, share: 1) + $0.projections($1) }),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let (reader, pool) = (ImageReader(try inputs[images.images]), try inputs[pool].pool)
                        let (means, directions, texts) = (try inputs[fitted.means], try inputs[fitted.directions], try inputs[texts])
                        let pass = EffectPass(try model.clip.value().vision, layers: layers, capacity: model.batch)
                        let speakers = try zip(try inputs.parts(factored), try inputs.parts(readings)).map { part, readings in
                            let layer = part.lens.layer
                            return LayerSpeakers(
                                CentredEffects(
                                    part.lens, factors: part.factors, means: try means.layer(layer), capacity: model.batch),
                                thresholds: try directions.layer(layer).thresholds,
                                reconstruction: EffectReconstruction(readings, capacity: model.batch),
                                codes: try texts.layer(layer), size: size)
                        }
                        return { shard in
                            var result = ConceptPhrases(kept: kept)
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, pass, inputs) { _ in
                                result.append(pass, speakers, pool)
                            }
                            return result
                        }
                    },
                    reduce: { _, shards in
                        var all = ConceptPhrases(kept: kept)
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }
}

/// The neurons of one layer and what they say. Belongs to one worker.
private final class LayerSpeakers {
    let effects: CentredEffects
    private let thresholds: [Float]
    private let reconstruction: EffectReconstruction
    private let codes: SparseCodes
    private let size: Int

    init(_ effects: CentredEffects, thresholds: [Float], reconstruction: EffectReconstruction, codes: SparseCodes, size: Int) {
        self.effects = effects
        self.thresholds = thresholds
        self.reconstruction = reconstruction
        self.codes = codes
        self.size = size
    }

    func update(_ pass: EffectPass) {
        effects.update(pass)
        effects.evaluateNorms()
        reconstruction.update(effects, batch: pass.batch, meanAblated: pass.representations.base)
    }

    /// Adds what the active neurons say of one image of the batch.
    /// - Returns: how many are active: t_n is the norm that all but the fit set's largest effects stay below,
    ///   which for 100 of 5000 images is the 98th percentile.
    func speak(image: Int, batch: Int, norm: inout [Float], signed: inout [Float]) -> Int {
        let (N, m) = (thresholds.count, codes.coefficients.shape[2])
        var active = 0
        for n in 0..<N {
            let length = effects.norms.base[n * batch + image]
            guard length > thresholds[n] else { continue }
            active += 1
            let along = reconstruction.coefficients.base[n * batch + image]
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
    /// Adds the batch that `pass` has just run.
    fileprivate mutating func append(_ pass: EffectPass, _ layers: [LayerSpeakers], _ pool: TextPool) {
        for layer in layers { layer.update(pass) }
        let (batch, d, count) = (pass.batch, pass.vision.embeddingWidth, pool.phrases.count)
        var similarities = [Float](repeating: 0, count: batch * count)
        BLAS.multiply(
            batch, count, d, pass.representations.base, stride: d, pool.embeddings.elements, stride: d, otherTransposed: true,
            into: &similarities, stride: count)
        for image in 0..<batch {
            var (norm, signed) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
            let speaking = layers.reduce(0) { $0 + $1.speak(image: image, batch: batch, norm: &norm, signed: &signed) }
            for score in ConceptScore.allCases {
                switch score {
                case .norm: append(norm)
                case .signed: append(signed)
                case .similarity: append(Array(similarities[image * count..<(image + 1) * count]))
                }
            }
            active.append(Int32(speaking))
        }
    }
}
