import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// What a run of fit images has in each layer: the effects that reach their neuron's floor, and δb of every image.
/// A layer is read from its file when it is asked for.
struct CandidateEffectsPart: Artefact {
    struct Layer: ColumnSet, Equatable {
        var effects = CandidateEffects()
        /// δb. // [images, d]
        var biasShares = Tensor(zeros: [0, 0])

        static let columns: [Column<Self>] = [.table("", \.effects), .rows("bias-shares", \.biasShares)]
    }

    private let tensors: [String: StoredTensor]

    /// - Parameter layer: makes a layer, one after the other: of all of them together there is one copy.
    init(layers: [Int], _ layer: (Int) throws -> Layer) throws {
        tensors = try layers.reduce(into: [:]) { all, index in
            for (name, tensor) in try layer(index).tensors() { all["\(index).\(name)"] = tensor }
        }
    }

    init(_ stored: StoredArtefact) throws {
        guard case .tensors(let tensors, _) = stored else { throw PipelineError.wrongArtefactForm(wanted: "tensors") }
        self.tensors = tensors
    }

    func stored() throws -> StoredArtefact { .tensors(tensors) }

    /// - Throws: `PipelineError.invalidArtefact`.
    func layer(_ layer: Int) throws -> Layer { try Layer(StoredColumns(tensors: tensors, prefix: "\(layer).")) }
}

extension CandidateEffects: ColumnSet {
    init() { self.init(offsets: [], norms: [], images: [], coordinates: Tensor(zeros: [0, 0])) }

    static let columns: [Column<Self>] = [
        .shared("offsets", \.offsets), .rows("norms", \.norms, of: "entries"), .rows("images", \.images, of: "entries"),
        .rows("coordinates", \.coordinates, of: "entries"),
    ]
}

/// Keeps the effects that may be among the largest of their neuron.
///
/// The shards stay apart: together they take gigabytes for a large model, and are read a layer at a time.
struct LargestEffectsStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    let means: StepHandle<FittedMeans>
    /// Images that a neuron's direction will be fitted to.
    let count: Int

    func step() throws -> Step<Shards<CandidateEffectsPart>> {
        // As many reach their floor as make the largest, and some more; all, where there are no floors.
        let perShard = min(images.perShard, images.count)
        let kept =
            images.count - perShard < count ? perShard : 1 + 3 * count * perShard / (2 * images.count)
        let factored = model.factoredLensParts(layers)
        return Step(
            kind: "largest-effects", version: 3, parameters: ["layers": .integers(layers)],
            inputs: [images.images.erased, means.erased], digests: ["model": model.digest],
            memory: model.memory(layers: layers, kept: min(kept, perShard)),
            cost: model.passCost(
                layers: layers, fixed: { $0.factors($1) }, perImage: { $0.centred($1) + $0.norms($1) }),
            work: try .shards(
                units: images.count, unitsPerShard: images.perShard,
                makeWorker: { inputs in
                    let worker = try CandidateEffectsWorker(model, inputs.parts(factored), means: inputs[means])
                    let add = try ImageRuns(images, inputs).batches(worker.workspace, worker.add)
                    return { shard in
                        var collected = worker.none
                        try add(shard.units, &collected)
                        return try CandidateEffectsPart(layers: layers) { layer in
                            guard let found = collected.removeValue(forKey: layer)
                            else { preconditionFailure("layer \(layer) was not looked at") }
                            let d = model.configuration.embeddingWidth
                            return .init(
                                effects: found.effects.result(),
                                biasShares: Tensor(shape: [shard.units.count, d], elements: found.biasShares))
                        }
                    }
                }))
    }
}

/// Collects the large effects of one run of images after the other. Belongs to one worker.
private struct CandidateEffectsWorker {
    struct Collected {
        let effects: CandidateEffectsCollector
        /// // [images, d]
        var biasShares: [Float] = []
    }

    let workspace: EffectWorkspace
    private let effects: [(effects: CentredEffects, floors: [Float])]

    init(_ model: StudyModel, _ lenses: [FactoredLens], means: FittedMeans) throws {
        workspace = EffectWorkspace(
            try model.clip.value().vision, layers: lenses.map(\.lens.layer), capacity: model.batch)
        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
        effects = try lenses.map {
            let layer = try means.layer($0.lens.layer)
            return (CentredEffects($0.lens, factors: $0.factors, means: layer.means, scratch: scratch), layer.floors)
        }
    }

    var none: [Int: Collected] {
        effects.reduce(into: [:]) {
            let lens = $1.effects.lens
            $0[lens.layer] = Collected(
                effects: CandidateEffectsCollector(neurons: lens.neurons, headCount: lens.headCount))
        }
    }

    func add(_ collected: inout [Int: Collected], _ pass: EffectPass, first: Int) {
        for (effects, floors) in effects {
            let effects = effects.run(pass)
            let layer = effects.lens.layer
            collected[layer]?.effects.insert(effects, floors: floors, firstImage: first)
            collected[layer]?.biasShares += UnsafeBufferPointer(
                start: effects.biasShares, count: pass.batch * effects.lens.embeddingWidth)
        }
    }
}
