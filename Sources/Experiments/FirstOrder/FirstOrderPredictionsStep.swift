import CLIPModel
import DenseMath
import Lens
import Pipeline

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
struct FirstOrderPredictions: ColumnTable {
    enum Kind: String, CaseIterable, Sendable {
        case attention, mlp
    }

    private(set) var layers = 0
    /// Under ``FirstOrderConditions``.
    var predictions = ConditionPredictions()
    /// ‖e‖ with ‖R‖ = 100. // [images, kinds, L]
    var lengths: [Float] = []
    /// ‖e − ē‖. // [images, kinds, L]
    var deviations: [Float] = []

    static let columns: [Column<Self>] = [
        .shared("layers", \.layers), .table("", \.predictions),
        .rows("lengths", \.lengths) { [Kind.allCases.count, $0.layers] },
        .rows("deviations", \.deviations) { [Kind.allCases.count, $0.layers] },
    ]

    init() {}
    init(layers: Int) {
        self.layers = layers
        predictions = ConditionPredictions(conditions: FirstOrderConditions(layers: layers).count)
    }

    func check() throws {
        guard predictions.conditions == FirstOrderConditions(layers: layers).count else {
            throw PipelineError.invalidArtefact(
                part: "conditions", reason: "\(predictions.conditions) for \(layers) layers")
        }
    }

    /// One value an image.
    func values(_ of: KeyPath<FirstOrderPredictions, [Float]>, _ kind: Kind, layer: Int) -> [Double] {
        let (kinds, all) = (Kind.allCases.count, self[keyPath: of])
        let place = Kind.allCases.firstIndex(of: kind) ?? 0
        return (0..<predictions.count).map { Double(all[($0 * kinds + place) * layers + layer]) }
    }
}

/// Classifies every image with direct effects of its layers replaced by their means, layer after layer.
struct FirstOrderPredictionsStep: ImageStep {
    typealias Output = FirstOrderPredictions
    static let (kind, version) = ("first-order-predictions", 2)

    let model: StudyModel
    let images: ImageSource
    let classifier: StepHandle<StoredClassifier>
    let effects: StepHandle<FittedDirectEffects>

    var parameters: Parameters { ["images": .integer(images.count)] }
    var inputs: [AnyStepHandle] { [classifier.erased, effects.erased] }
    var memory: MemoryEstimate? { model.directEffectMemory() }
    var cost: CostEstimate? { model.passCost(towers: 1.3) }
    var none: FirstOrderPredictions { FirstOrderPredictions(layers: model.configuration.vision.layers) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<FirstOrderPredictions> {
        let classifier = try inputs[classifier].classifier
        let workspace = DirectEffectsWorkspace(
            try model.clip.value().vision, paths: try model.paths.value(), capacity: model.batch)
        let ablated = AblatedBatch(means: try inputs[effects].sums.means, capacity: model.batch)
        return images.batches(workspace) { predictions, effects, first in
            try predictions.predictions.append(
                ablated.representations(effects), batch: effects.batch, by: classifier, of: images.set,
                firstImage: first)
            ablated.appendLengths(of: effects, to: &predictions)
        }
    }
}

/// A batch's representations under every condition. Belongs to one worker.
private final class AblatedBatch {
    private let means: DirectEffectMeans
    private let ablation: FirstOrderAblation
    private let conditions: FirstOrderConditions
    /// By condition after the baseline. // [batch, d]
    private let buffers: [FloatBuffer]

    init(means: DirectEffectMeans, capacity: Int) {
        self.means = means
        ablation = FirstOrderAblation(means: means, capacity: capacity)
        conditions = FirstOrderConditions(layers: means.attention.shape[0])
        buffers = (1..<conditions.count).map { _ in FloatBuffer(capacity * means.attention.shape[1]) }
    }

    /// In the order of the conditions. // [batch, d]
    func representations(_ effects: DirectEffects) -> [UnsafePointer<Float>] {
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
        return [effects.representations] + buffers.map { UnsafePointer($0.base) }
    }

    func appendLengths(of effects: DirectEffects, to result: inout FirstOrderPredictions) {
        let count = means.attention.elements.count
        for image in 0..<effects.batch {
            for (terms, means) in [(effects.attention, means.attention), (effects.mlps, means.mlps)] {
                append(terms + image * count, means, to: &result)
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
