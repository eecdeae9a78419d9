import CLIPModel
import Lens

/// The second-order effects of all neurons of one layer, from the images on, against the seconds that the paper's code
/// takes for them. Those are on record from two cores like those of BENCHMARKS.md and not measured again: on another machine
/// the ratio says little.
struct LayerBenchmark {
    private static let goal = 1000.0
    private static let workers = 2

    private let model: BenchmarkModel
    private let layer: Int
    /// Seconds an image of the paper's code.
    private let paperSeconds: Double
    private let workers: Workers<(workspace: EffectWorkspace, ablations: [MeanAblation])>

    static func vitB32(_ tower: VisionTransformer) -> LayerBenchmark {
        .init(.vitB32, tower, layer: 9, paperSeconds: 41.8)
    }

    static func vitL14(_ tower: VisionTransformer) -> LayerBenchmark {
        .init(.vitL14, tower, layer: 22, paperSeconds: 420)
    }

    private init(_ model: BenchmarkModel, _ tower: VisionTransformer, layer: Int, paperSeconds: Double) {
        (self.model, self.layer, self.paperSeconds) = (model, layer, paperSeconds)
        let tables = AblationTables(model, tower, layers: [layer], kept: 1)
        workers = Workers(Self.workers) {
            (EffectWorkspace(tower, layers: [layer], capacity: model.batch), tables.ablations(capacity: model.batch))
        }
    }

    /// Every worker runs a batch of images at a time.
    func run(repeats: Int) -> [String] {
        let (batch, images) = (model.batch, model.images(model.batch, seed: 5))
        func pass() -> Double {
            workers.time { workspace, ablations in
                images.withUnsafeBufferPointer { pixels in
                    guard let base = pixels.baseAddress else { return }
                    let pass = workspace.run(base, batch: batch)
                    for ablation in ablations { _ = ablation.run(pass, firstImage: 0, seed: 6) }
                }
            } / Double(workers.count * batch)
        }
        _ = pass()  // touches all memory
        let seconds = (0..<repeats).map { _ in pass() }
        let title = "\(model.name), layer \(layer), \(workers.count) workers × batch \(batch)"
        return [
            Report.line("\(title): forward pass and effects", seconds.map { 1000 * $0 }, unit: "ms/image"),
            Report.line(
                "\(title): rate over the paper's code, recorded", seconds.map { paperSeconds / $0 }, unit: "×",
                goal: .atLeast(Self.goal)),
        ]
    }
}
