import CLIPModel
import DenseMath
import Lens
import Pipeline

/// The conditions of Figure 4: each layer's effects replaced by their projections onto sparse texts of some pools.
struct SparseConditions: Sendable {
    struct Pool: Sendable, Equatable {
        let name: String
        /// Numbers of phrases.
        let sizes: [Int]
    }

    let layers: [Int]
    let pools: [Pool]

    private var perLayer: Int { pools.reduce(0) { $0 + $1.sizes.count } }
    var count: Int { layers.count * perLayer }

    func index(layer: Int, pool: Int, size: Int) -> Int {
        layer * perLayer + pools[..<pool].reduce(0) { $0 + $1.sizes.count } + size
    }

    func subject(layer: Int, pool: Int, size: Int) -> Subject {
        ["layer": "\(layers[layer])", "pool": pools[pool].name, "m": "\(pools[pool].sizes[size])"]
    }
}

/// Classifies every image with each layer's effects replaced by their projections onto sparse texts.
struct SparsePredictionsStep: ImageStep {
    typealias Output = ConditionPredictions
    static let (kind, version) = ("sparse-predictions", 2)

    struct Pool: Sendable {
        let name: String
        let sizes: [Int]
        let pool: StepHandle<StoredTextPool>
        let texts: StepHandle<FittedSparseTexts>
    }

    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    let classifier: StepHandle<StoredClassifier>
    let means: StepHandle<FittedMeans>
    let pools: [Pool]
    private let lenses: SharedParts<FactoredLens>

    init(
        _ model: StudyModel, layers: [Int], images: ImageSource, classifier: StepHandle<StoredClassifier>,
        means: StepHandle<FittedMeans>, pools: [Pool]
    ) {
        (self.model, self.layers, self.images, self.classifier) = (model, layers, images, classifier)
        (self.means, self.pools) = (means, pools)
        lenses = model.factoredLensParts(layers)
    }

    private var conditionsPerLayer: Int { pools.reduce(0) { $0 + $1.sizes.count } }
    var parameters: Parameters { ["layers": .integers(layers), "images": .integer(images.count)] }
    var inputs: [AnyStepHandle] {
        [classifier.erased, means.erased] + pools.flatMap { [$0.pool.erased, $0.texts.erased] }
    }
    var memory: MemoryEstimate? {
        var memory = model.memory(layers: layers)
        memory.perWorker += model.memoryOfReadings(layers: layers) * conditionsPerLayer
        return memory
    }
    var cost: CostEstimate? {
        let conditions = Double(conditionsPerLayer)
        return model.passCost(
            layers: layers, fixed: { $0.factors($1) + conditions * $0.readings($1) },
            perImage: { $0.centred($1) + $0.total($1) + conditions * $0.projections($1) })
    }
    var none: ConditionPredictions { ConditionPredictions(conditions: layers.count * conditionsPerLayer) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<ConditionPredictions> {
        let (classifier, means) = (try inputs[classifier].classifier, try inputs[means])
        let sources = try pools.map { (try inputs[$0.pool].pool, try inputs[$0.texts], $0.sizes.indices) }
        let workspace = EffectWorkspace(try model.clip.value().vision, layers: layers, capacity: model.batch)
        let lenses = try inputs.parts(lenses)
        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
        let reconstructions = try lenses.map { part in
            try LayerReconstructions(
                part, means: means.layer(part.lens.layer).means, scratch: scratch, capacity: model.batch,
                directions: sources.flatMap { pool, texts, sizes in
                    let codes = try texts.layer(part.lens.layer)
                    return sizes.map { codes.reconstructions($0, dictionary: pool.dictionary) }
                })
        }
        return images.batches(workspace) { predictions, pass, first in
            try predictions.append(
                reconstructions.flatMap { $0.run(pass) }, batch: pass.batch, by: classifier, of: images.set,
                firstImage: first)
        }
    }
}

/// One layer's representations under several sets of directions. Belongs to one worker.
private final class LayerReconstructions {
    private let effects: CentredEffects
    private let meanAblated: MeanAblatedRepresentations
    private let reconstructions: [EffectReconstruction]

    init(_ part: FactoredLens, means: EffectMeans, scratch: EffectScratch, capacity: Int, directions: [Tensor]) {
        let lens = part.lens
        effects = CentredEffects(lens, factors: part.factors, means: means, scratch: scratch)
        meanAblated = MeanAblatedRepresentations(lens, means: means, capacity: capacity)
        reconstructions = directions.map {
            EffectReconstruction(DirectionReadings(lens, directions: $0), capacity: capacity)
        }
    }

    /// - Returns: a pointer for each set. // [batch, d]
    func run(_ pass: EffectPass) -> [UnsafePointer<Float>] {
        let effects = effects.run(pass)
        let ablated = meanAblated.run(pass, effects)
        return reconstructions.map { $0.run(effects, meanAblated: ablated).representations }
    }
}
