import CLIPModel
import DenseMath
import Lens
import Pipeline

/// How far each neuron's centred effect goes along its direction on each image: ⟨φ_n − φ̄_n, r_n⟩.
struct NeuronEffects: ColumnTable {
    struct Layer: ColumnSet {
        /// // [images, N]
        var effects = Tensor(zeros: [0, 0])

        static let columns: [Column<Self>] = [.rows("effects", \.effects)]
    }

    var layers: [Int: Layer] = [:]
    /// c·r(I). // [images, d]
    var representations = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.layers(\.layers), .rows("representations", \.representations)]
}

/// Measures ``NeuronEffects``.
struct NeuronEffectsStep: ImageStep {
    typealias Output = NeuronEffects
    static let (kind, version) = ("neuron-effects", 2)

    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    let fitted: Study.Fitted
    private let projected: ProjectedEffects.Parts

    init(_ model: StudyModel, layers: [Int], images: ImageSource, fitted: Study.Fitted) {
        (self.model, self.layers, self.images, self.fitted) = (model, layers, images, fitted)
        projected = ProjectedEffects.Parts(model, layers: layers, directions: fitted.directions)
    }

    var parameters: Parameters { ["layers": .integers(layers), "images": .integer(images.count)] }
    var inputs: [AnyStepHandle] { [fitted.means.erased, fitted.directions.erased] }
    var memory: MemoryEstimate? { model.memory(layers: layers) }
    var cost: CostEstimate? {
        model.passCost(
            layers: layers, fixed: { $0.factors($1) + $0.readings($1) },
            perImage: { $0.centred($1) + $0.projections($1) })
    }
    var none: NeuronEffects { NeuronEffects() }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<NeuronEffects> {
        let projected = try ProjectedEffects(model, projected, means: inputs[fitted.means], inputs)
        let d = model.configuration.embeddingWidth
        return images.batches(projected.workspace) { part, pass, _ in
            let batch = pass.batch
            var next = NeuronEffects(
                representations: Tensor(
                    shape: [batch, d],
                    elements: Array(UnsafeBufferPointer(start: pass.representations, count: batch * d))))
            projected.forEachLayer(of: pass) { effects, projections in
                let N = effects.lens.neurons
                var table = Tensor(zeros: [batch, N])
                for image in 0..<batch {
                    for n in 0..<N { table.elements[image * N + n] = projections[n * batch + image] }
                }
                next.layers[effects.lens.layer] = .init(effects: table)
            }
            try part.append(next)
        }
    }
}

/// Centred effects of every layer's neurons and their projections ⟨φ_n − φ̄_n, r_n⟩, batch by batch. Belongs to one worker.
struct ProjectedEffects {
    /// What the workers of a step share.
    struct Parts: Sendable {
        let lenses: SharedParts<FactoredLens>
        let readings: SharedParts<DirectionReadings>

        init(_ model: StudyModel, layers: [Int], directions: StepHandle<FittedDirections>) {
            lenses = model.factoredLensParts(layers)
            readings = lenses.readings(along: directions)
        }
    }

    /// Runs the images.
    let workspace: EffectWorkspace
    private let layers: [(effects: CentredEffects, reader: EffectReconstruction)]

    /// - Parameter means: φ̄ of each layer.
    /// - Throws: `PipelineError.invalidArtefact` for a layer without means, and what loading the model throws.
    init(_ model: StudyModel, _ parts: Parts, means: FittedMeans, _ inputs: StepInputs) throws {
        let lenses = try inputs.parts(parts.lenses)
        workspace = EffectWorkspace(
            try model.clip.value().vision, layers: lenses.map(\.lens.layer), capacity: model.batch)
        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
        layers = try zip(lenses, try inputs.parts(parts.readings)).map { part, readings in
            (
                CentredEffects(
                    part.lens, factors: part.factors, means: try means.layer(part.lens.layer).means, scratch: scratch),
                EffectReconstruction(readings, capacity: model.batch)
            )
        }
    }

    /// Goes over the layers one after the other, since they share their scratch memory.
    /// - Parameter body: gets the effects and the projections of a layer. // [N, batch]
    func forEachLayer(of pass: EffectPass, _ body: (CentredBatch, UnsafePointer<Float>) -> Void) {
        for (effects, reader) in layers {
            let effects = effects.run(pass)
            body(effects, reader.run(effects, meanAblated: pass.representations).coefficients)
        }
    }
}
