import CLIPModel
import DenseMath
import Dispatch
import Lens

/// What the lens adds to a forward pass: capture, coordinates, bias shares, norms and all conditions
/// of mean-ablation, for every layer with a later attention layer.
struct LensBenchmark {
    static let goal = 0.15

    private let model: BenchmarkModel
    private let tower: VisionTransformer
    private let plain: VisionWorkspace
    private let workspace: EffectWorkspace
    private let ablations: [MeanAblation]

    init(_ model: BenchmarkModel, _ tower: VisionTransformer) {
        self.model = model
        self.tower = tower
        let layers = Array(0..<tower.blocks.count - 1)
        // First, so that the memory of fitting is free again when the pass takes its own.
        ablations = AblationTables(model, tower, layers: layers, kept: 2).ablations(capacity: model.batch)
        plain = VisionWorkspace(tower, capacity: model.batch)
        workspace = EffectWorkspace(tower, layers: layers, capacity: model.batch)
    }

    /// Forward pass without and with the lens by turns; a pair of neighbours makes a ratio.
    func run(repeats: Int) -> [String] {
        let images = model.images(model.batch, seed: 5)
        var (forward, lens, added) = ([Double](), [Double](), [Double]())
        var significant = 0
        var breakdown: [String] = []
        let title = "\(model.name), 1 worker × batch \(model.batch)"
        images.withUnsafeBufferPointer { pixels in
            guard let base = pixels.baseAddress else { return }
            func time(_ body: () -> Void) -> Double {
                let start = DispatchTime.now()
                body()
                return start.seconds
            }
            func withoutLens() { _ = tower(base, batch: model.batch, plain) }
            /// Returns how many effects are significant.
            @discardableResult
            func ablate(_ pass: EffectPass) -> Int {
                ablations.reduce(0) { $0 + $1.run(pass, firstImage: 0, seed: 6).significant.reduce(0, +) }
            }
            func withLens() { ablate(workspace.run(base, batch: model.batch)) }
            withoutLens()  // touches all memory
            withLens()
            for _ in 0..<repeats {
                let without = time(withoutLens)
                let with = time(withLens)
                forward.append(1000 * without / Double(model.batch))
                lens.append(1000 * (with - without) / Double(model.batch))
                added.append(100 * (with / without - 1))
            }
            // Of what follows the pass: a difference of two passes is lost in their own scatter.
            let pass = workspace.run(base, batch: model.batch)
            breakdown = KernelBreakdown(of: { _ = ablate(pass) }, images: model.batch, repeats: repeats).lines(
                "\(title), lens")
            significant = ablate(pass)
        }
        let share = Double(significant) / Double(ablations.count * model.batch * model.configuration.mlpWidth)
        return [
            Report.line("\(title): plain forward pass", forward, unit: "ms/image"),
            Report.line("\(title): lens of \(ablations.count) layers, more", lens, unit: "ms/image"),
            Report.line("\(title): significant effects", [100 * share], unit: "%"),
            Report.line("\(title): lens over forward pass", added, unit: "%", goal: .atMost(100 * Self.goal)),
        ] + breakdown
    }
}
