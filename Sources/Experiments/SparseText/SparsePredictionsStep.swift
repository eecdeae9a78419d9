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

enum SparsePredictionsStep {
    struct Pool: Sendable {
        let name: String
        let sizes: [Int]
        let pool: StepHandle<StoredTextPool>
        let texts: StepHandle<FittedSparseTexts>
    }

    static func add(
        _ study: Study, images: ImageSource, classifier: StepHandle<StoredClassifier>, means: StepHandle<FittedMeans>,
        pools: [Pool], in graph: inout Graph
    ) throws -> StepHandle<ConditionPredictions> {
        let (model, layers) = (study.model, study.layers)
        let (count, conditions) = (layers.count * pools.reduce(0) { $0 + $1.sizes.count }, Double(pools.reduce(0) { $0 + $1.sizes.count }))
        let factored = model.factoredLensParts(layers)
        return try graph.add(
            Step(
                kind: "sparse-predictions", version: 1, parameters: ["layers": .integers(layers), "images": .integer(images.count)],
                inputs: [images.images.erased, classifier.erased, means.erased] + pools.flatMap { [$0.pool.erased, $0.texts.erased] },
                digests: ["model": model.digest], memory: model.memory(layers: layers),
                cost: model.passCost(
                    layers: layers, fixed: { $0.factors($1) + conditions * $0.readings($1) },
                    perImage: { $0.centred($1) + $0.total($1) + conditions * $0.projections($1) }),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let (reader, classifier) = (ImageReader(try inputs[images.images]), try inputs[classifier].classifier)
                        let means = try inputs[means]
                        let sources = try pools.map { (try inputs[$0.pool].pool, try inputs[$0.texts], $0.sizes.indices) }
                        let pass = EffectPass(try model.clip.value().vision, layers: layers, capacity: model.batch)
                        let lenses = try inputs.parts(factored)
                        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
                        let reconstructions = try lenses.map { part in
                            try LayerReconstructions(
                                part, means: means.layer(part.lens.layer), scratch: scratch, capacity: model.batch,
                                directions: sources.flatMap { pool, texts, sizes in
                                    let codes = try texts.layer(part.lens.layer)
                                    return sizes.map { codes.reconstructions($0, dictionary: pool.dictionary) }
                                })
                        }
                        return { shard in
                            var result = ConditionPredictions(conditions: count)
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, pass, inputs) { start in
                                try result.append(
                                    reconstructions.flatMap { $0.update(pass) }, batch: pass.batch, by: classifier,
                                    of: images.name, firstImage: start)
                            }
                            return result
                        }
                    },
                    reduce: { _, shards in
                        var all = ConditionPredictions(conditions: count)
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
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
        reconstructions = directions.map { EffectReconstruction(DirectionReadings(lens, directions: $0), capacity: capacity) }
    }

    /// The batch that `pass` has just run, a pointer for each set. // [batch, d]
    func update(_ pass: EffectPass) -> [UnsafePointer<Float>] {
        effects.update(pass)
        meanAblated.update(pass, effects)
        return reconstructions.map { reconstruction in
            reconstruction.update(effects, batch: pass.batch, meanAblated: meanAblated.representations.base)
            return UnsafePointer(reconstruction.representations.base)
        }
    }
}
