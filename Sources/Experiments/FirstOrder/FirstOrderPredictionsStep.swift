import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// The untouched model, and the conditions of Figures 11 and 12 with one to all layers ablated.
struct FirstOrderConditions: Sendable {
    let layers: Int

    static let baseline = 0

    var count: Int { 1 + FirstOrderCondition.allCases.count * layers }

    /// - Parameter ablated: layers without their direct effects, 1…L.
    func index(_ condition: FirstOrderCondition, ablated: Int) -> Int {
        1 + (FirstOrderCondition.allCases.firstIndex(of: condition) ?? 0) * layers + ablated - 1
    }

    func subject(_ condition: FirstOrderCondition, ablated: Int) -> Subject {
        ["condition": condition.rawValue, "layers-ablated": "\(ablated)"]
    }

    /// The layer up to which, or down to which, the direct effects are gone.
    func lastAblated(_ condition: FirstOrderCondition, ablated: Int) -> Int {
        switch condition {
        case .attentionFromFirst, .mlpsFromFirst: ablated - 1
        case .attentionFromLast, .mlpsFromLast: layers - ablated
        }
    }
}

/// What the classifier says about every image under every condition, and how large what was taken away is.
struct FirstOrderPredictions: Artefact {
    enum Kind: String, CaseIterable, Sendable {
        case attention, mlp
    }

    /// Under ``FirstOrderConditions``.
    var predictions: ConditionPredictions
    let layers: Int
    /// ‖e‖ with ‖R‖ = 100. // [images, kinds, L]
    var lengths: [Float] = []
    /// ‖e − ē‖. // [images, kinds, L]
    var deviations: [Float] = []

    init(layers: Int) {
        self.layers = layers
        predictions = ConditionPredictions(conditions: FirstOrderConditions(layers: layers).count)
    }

    init(_ stored: StoredArtefact) throws {
        predictions = try ConditionPredictions(stored)
        let lengths = try stored.numbers("lengths", dimensions: 3)
        let deviations = try stored.numbers("deviations", dimensions: 3)
        layers = lengths.shape[2]
        guard lengths.shape == [predictions.count, Kind.allCases.count, layers], deviations.shape == lengths.shape,
            predictions.conditions == FirstOrderConditions(layers: layers).count
        else { throw PipelineError.invalidArtefact(part: "lengths", reason: "shape \(lengths.shape)") }
        self.lengths = lengths.elements
        self.deviations = deviations.elements
    }

    func stored() throws -> StoredArtefact {
        guard case .tensors(var tensors, let metadata) = try predictions.stored() else {
            throw PipelineError.wrongArtefactForm(wanted: "tensors")
        }
        let shape = [predictions.count, Kind.allCases.count, layers]
        tensors["lengths"] = try StoredTensor(lengths, shape: shape)
        tensors["deviations"] = try StoredTensor(deviations, shape: shape)
        return .tensors(tensors, metadata: metadata)
    }

    /// Adds the images that follow.
    mutating func append(_ next: FirstOrderPredictions) {
        predictions.append(next.predictions)
        lengths += next.lengths
        deviations += next.deviations
    }

    /// One value an image.
    func values(_ of: KeyPath<FirstOrderPredictions, [Float]>, _ kind: Kind, layer: Int) -> [Double] {
        let (kinds, all) = (Kind.allCases.count, self[keyPath: of])
        let place = Kind.allCases.firstIndex(of: kind) ?? 0
        return (0..<predictions.count).map { Double(all[($0 * kinds + place) * layers + layer]) }
    }
}

enum FirstOrderPredictionsStep {
    static func add(
        _ study: Study, images: ImageSource, classifier: StepHandle<StoredClassifier>,
        effects fitted: StepHandle<FittedDirectEffects>, in graph: inout Graph
    ) throws -> StepHandle<FirstOrderPredictions> {
        let model = study.model
        let layers = model.configuration.vision.layers
        return try graph.add(
            Step(
                kind: "first-order-predictions", version: 1, parameters: ["images": .integer(images.count)],
                inputs: [images.images.erased, classifier.erased, fitted.erased], digests: ["model": model.digest],
                memory: model.directEffectMemory(), cost: model.passCost(towers: 2),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let (reader, classifier) = (ImageReader(try inputs[images.images]), try inputs[classifier].classifier)
                        let effects = DirectEffects(
                            try model.clip.value().vision, paths: try model.paths.value(), capacity: model.batch)
                        let ablated = AblatedBatch(effects, means: try inputs[fitted].sums.means)
                        return { shard in
                            var result = FirstOrderPredictions(layers: layers)
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, effects, inputs) { start in
                                ablated.update()
                                try result.predictions.append(
                                    ablated.representations, batch: effects.batch, by: classifier, of: images.name, firstImage: start)
                                ablated.appendLengths(to: &result)
                            }
                            return result
                        }
                    },
                    reduce: { _, shards in
                        var all = FirstOrderPredictions(layers: layers)
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }
}

/// A batch's representations under every condition. Belongs to one worker.
private final class AblatedBatch {
    private let effects: DirectEffects
    private let means: DirectEffectMeans
    private let ablation: FirstOrderAblation
    private let conditions: FirstOrderConditions
    /// By condition after the baseline. // [batch, d]
    private let buffers: [FloatBuffer]

    init(_ effects: DirectEffects, means: DirectEffectMeans) {
        self.effects = effects
        self.means = means
        ablation = FirstOrderAblation(means: means, capacity: effects.capacity)
        conditions = FirstOrderConditions(layers: means.attention.shape[0])
        buffers = (1..<conditions.count).map { _ in FloatBuffer(effects.capacity * means.attention.shape[1]) }
    }

    /// In the order of the conditions. // [batch, d]
    var representations: [UnsafePointer<Float>] {
        [UnsafePointer(effects.representations.base)] + buffers.map { UnsafePointer($0.base) }
    }

    /// The batch that the effects are of.
    func update() {
        ablation.update(effects)
        let (L, d) = (conditions.layers, means.attention.shape[1])
        for condition in FirstOrderCondition.allCases {
            let steps = ablation.representations(condition)
            for ablated in 1...L {
                let buffer = buffers[conditions.index(condition, ablated: ablated) - 1]
                let layer = conditions.lastAblated(condition, ablated: ablated)
                for image in 0..<effects.batch {
                    (buffer.base + image * d).update(from: steps + (image * L + layer) * d, count: d)
                }
            }
        }
    }

    func appendLengths(to result: inout FirstOrderPredictions) {
        let count = means.attention.elements.count
        for image in 0..<effects.batch {
            for (terms, means) in [(effects.attention, means.attention), (effects.mlps, means.mlps)] {
                append(terms.base + image * count, means, to: &result)
            }
        }
    }

    private func append(_ terms: UnsafePointer<Float>, _ means: Tensor, to result: inout FirstOrderPredictions) {
        let d = means.shape[1]
        for layer in 0..<means.shape[0] {
            var (whole, centred) = (Float(0), Float(0))
            for j in layer * d..<(layer + 1) * d {
                let difference = terms[j] - means.elements[j]
                whole += terms[j] * terms[j]
                centred += difference * difference
            }
            result.lengths.append(whole.squareRoot())
            result.deviations.append(centred.squareRoot())
        }
    }
}
