import CLIPModel
import DenseMath
import Dispatch
import Lens

/// What one worker of a pass holds, as the step of the same pass does.
class EffectWorker {
    private let workspace: EffectWorkspace
    /// The worker's share.
    var images = 0..<0

    fileprivate init(
        _ tower: VisionTransformer, _ lenses: [SecondOrderLens], capacity: Int, capturing extra: CaptureRequest = []
    ) {
        workspace = EffectWorkspace(tower, layers: lenses.map(\.layer), capacity: capacity, capturing: extra)
    }

    /// - Parameter pixels: of all images. // [images, size, size, 3]
    func run(_ pixels: [UInt8]) {
        let configuration = workspace.vision.configuration
        let size = VisionConfiguration.channels * configuration.imageSize * configuration.imageSize
        pixels.withUnsafeBufferPointer { pixels in
            guard let base = pixels.baseAddress else { return }
            for start in stride(from: images.lowerBound, to: images.upperBound, by: workspace.capacity) {
                let batch = min(workspace.capacity, images.upperBound - start)
                look(at: workspace.run(base + start * size, batch: batch), firstImage: start)
            }
        }
    }

    /// What is done with a batch.
    fileprivate func look(at pass: EffectPass, firstImage: Int) {}
}

/// Sums alone: the first images of pass 1.
final class SummingWorker: EffectWorker {
    private let sums: [EffectSums]

    init(_ tower: VisionTransformer, _ lenses: [SecondOrderLens], capacity: Int) {
        sums = lenses.map { EffectSums($0, tokens: tower.tokens, capacity: capacity) }
        super.init(tower, lenses, capacity: capacity)
    }

    fileprivate override func look(at pass: EffectPass, firstImage: Int) {
        for sum in sums { sum.add(pass) }
    }

    /// Over the worker's own images.
    var means: [EffectMeans] { sums.map(\.means) }
}

/// Sums, and bounds of norms: pass 1.
final class BoundingWorker: EffectWorker {
    private let sums: [EffectSums]
    private let effects: [CentredEffects]
    private let floors: [NormFloors]

    init(_ tower: VisionTransformer, _ tables: EffectTables, capacity: Int) {
        sums = tables.lenses.map { EffectSums($0, tokens: tower.tokens, capacity: capacity) }
        effects = tables.effects(capacity: capacity)
        floors = tables.lenses.map { NormFloors(neurons: $0.neurons, capacity: 1) }
        super.init(tower, tables.lenses, capacity: capacity)
    }

    fileprivate override func look(at pass: EffectPass, firstImage: Int) {
        for index in effects.indices {
            sums[index].add(pass)
            floors[index].insert(effects[index].run(pass), firstImage: firstImage)
        }
    }

    /// Each neuron's largest bound over the images of all workers, by layer: one image in so many reaches it.
    static func floors(_ workers: [BoundingWorker]) -> [[Float]] {
        (workers.first?.floors ?? []).indices.map { layer in
            let bounds = workers.map { $0.floors[layer].bounds.elements }
            return (bounds.first ?? []).indices.map { n in bounds.reduce(0) { max($0, $1[n]) } }
        }
    }
}

/// Norms, and the effects that reach their floor: pass 2.
final class CollectingWorker: EffectWorker {
    private let effects: [CentredEffects]
    private let collectors: [CandidateEffectsCollector]
    private let floors: [[Float]]

    init(_ tower: VisionTransformer, _ tables: EffectTables, floors: [[Float]], capacity: Int) {
        effects = tables.effects(capacity: capacity)
        collectors = tables.lenses.map { CandidateEffectsCollector(neurons: $0.neurons, headCount: $0.headCount) }
        self.floors = floors
        super.init(tower, tables.lenses, capacity: capacity)
    }

    fileprivate override func look(at pass: EffectPass, firstImage: Int) {
        for index in effects.indices {
            collectors[index].insert(effects[index].run(pass), floors: floors[index], firstImage: firstImage)
        }
    }
}

/// Every condition of mean-ablation, and the indirect effect of one layer: pass 3.
final class AblatingWorker: EffectWorker {
    private let ablations: [MeanAblation]
    private let indirect: IndirectAblation
    private let resumed: Int
    /// Seconds that the indirect effect has taken so far.
    private(set) var resumedSeconds = 0.0

    init(_ tower: VisionTransformer, _ ablationTables: AblationTables, resumed: Int, capacity: Int) {
        let tables = ablationTables.effects
        ablations = ablationTables.ablations(capacity: capacity)
        self.resumed = resumed
        indirect = IndirectAblation(
            tower, means: [tables.lenses[resumed].layer: tables.means[resumed].activations], capacity: capacity)
        super.init(tower, tables.lenses, capacity: capacity, capturing: [.mlpInput])
    }

    fileprivate override func look(at pass: EffectPass, firstImage: Int) {
        for ablation in ablations { _ = ablation.run(pass, firstImage: firstImage, seed: 6) }
        let start = DispatchTime.now()
        indirect.update(pass, layer: ablations[resumed].lens.layer)
        resumedSeconds += start.seconds
    }
}

/// Runs the same work on several Dispatch queues at once, as the pipeline runs its shards.
struct Workers<State>: @unchecked Sendable {
    // Safe to send: a state is touched only on its own queue, and `time` waits for all of them.
    private let states: [(queue: DispatchQueue, state: State)]

    var count: Int { states.count }
    /// To be looked at between two calls of ``time(_:)``.
    var all: [State] { states.map(\.state) }

    init(_ count: Int, makeState: () -> State) {
        states = (0..<count).map { (DispatchQueue(label: "clip-lens.bench.\($0)"), makeState()) }
    }

    /// Seconds from the start until the last worker is done.
    func time(_ body: @escaping @Sendable (State) -> Void) -> Double {
        let group = DispatchGroup()
        let start = DispatchTime.now()
        for index in states.indices {
            states[index].queue.async(group: group) { body(states[index].state) }
        }
        group.wait()
        return start.seconds
    }
}

extension DispatchTime {
    /// Seconds since this time.
    var seconds: Double { Double(DispatchTime.now().uptimeNanoseconds - uptimeNanoseconds) * 1e-9 }
}
