import CLIPModel
import DenseMath
import Dispatch

/// Images a second of the vision transformer, as a share of what the same workers reach in products with packed
/// weights, and beside PyTorch where there is one.
struct ForwardBenchmark {
    static let goal = 0.80
    private let model: BenchmarkModel
    private let precision: Precision
    private let peak: Workers<MatrixPeak>
    private let forward: Workers<VisionWorkspace>
    private let tower: VisionTransformer
    private let images: [UInt8]

    init(_ model: BenchmarkModel, _ tower: VisionTransformer, precision: Precision, workers: Int) {
        self.model = model
        self.precision = precision
        self.tower = tower.with(precision)
        peak = Workers(workers) { MatrixPeak(precision) }
        forward = Workers(workers) { VisionWorkspace(tower, capacity: model.batch) }
        images = model.images(model.batch, seed: 2)
    }

    /// Goals of the rate over PyTorch's.
    private var pyTorchGoal: Double { precision == .fp32 ? 2 : 1.2 }

    /// Peak, forward pass and PyTorch by turns, so that whatever else the machine does disturbs all of them.
    func run(repeats: Int) -> [String] {
        let (tower, images, batch) = (tower, images, model.batch)
        func pass() -> Double {
            forward.time { workspace in
                images.withUnsafeBufferPointer { pixels in
                    guard let base = pixels.baseAddress else { return }
                    _ = tower(base, batch: batch, workspace)
                }
            }
        }
        _ = (MatrixPeak.measure(peak), pass())  // touches all memory
        let pyTorch = PyTorch(model, precision: precision.rawValue, threads: forward.count)
        var (peaks, rates, shares, others, ratios) = ([Double](), [Double](), [Double](), [Double](), [Double]())
        for _ in 0..<repeats {
            let before = MatrixPeak.measure(peak)
            let rate = Double(forward.count * batch) / pass()
            let best = max(before, MatrixPeak.measure(peak))
            peaks.append(best * 1e-9)
            rates.append(rate)
            shares.append(rate * model.operations / best)
            guard let seconds = pyTorch?.pass() else { continue }
            others.append(Double(batch) / seconds)
            ratios.append(rate * seconds / Double(batch))
        }
        let title =
            "\(model.name) \(precision.rawValue), \(forward.count) worker\(forward.count == 1 ? "" : "s") × batch \(batch)"
        var lines = [
            Report.line("\(title): peak of packed products", peaks, unit: "GFLOP/s"),
            Report.line("\(title): forward pass", rates, unit: "images/s"),
            Report.line(
                "\(title): share of peak", shares.map { 100 * $0 }, unit: "%",
                goal: precision == .fp32 ? .atLeast(100 * Self.goal) : nil),
        ]
        if forward.count == 1 {
            lines += KernelBreakdown(of: { _ = pass() }, images: batch, repeats: repeats).lines(
                "\(title), forward pass")
        }
        guard let pyTorch, !others.isEmpty else { return lines + [Report.note("\(title): PyTorch", "not found")] }
        lines.append(Report.line("\(title): \(pyTorch.description)", others, unit: "images/s"))
        lines.append(Report.line("\(title): rate over PyTorch's", ratios, unit: "×", goal: .atLeast(pyTorchGoal)))
        return lines
    }
}

/// Which kernels take the time of something. Counting slows the small ones, so that it is done after the measurement,
/// not in it.
struct KernelBreakdown {
    private let kernels: [(kernel: KernelProfile.Kernel, totals: KernelProfile.Totals)]
    private let seconds: Double
    private let images: Int

    /// - Parameters:
    ///   - work: what is looked at.
    ///   - images: of one run of it.
    init(of work: () -> Void, images: Int, repeats: Int) {
        KernelProfile.begin()
        let (before, start) = (KernelProfile.read(), DispatchTime.now())
        for _ in 0..<repeats { work() }
        seconds = start.seconds
        let after = KernelProfile.read()
        KernelProfile.end()
        kernels = KernelProfile.Kernel.allCases.map { ($0, after[$0.rawValue] - before[$0.rawValue]) }
        self.images = repeats * images
    }

    func lines(_ title: String) -> [String] {
        let kernels = kernels.filter { $0.totals.calls > 0 }.sorted { $0.totals.seconds > $1.totals.seconds }
        let rest = seconds - kernels.reduce(0) { $0 + $1.totals.seconds }
        return kernels.map { kernel, totals in
            let rates =
                "\(Int(totals.operations / max(totals.seconds, 1e-9) * 1e-9)) GFLOP/s, \(Int(totals.bytes / max(totals.seconds, 1e-9) * 1e-9)) GB/s"
            return Report.line(
                "\(title): \(kernel) at \(rates)", [1000 * totals.seconds / Double(images)], unit: "ms/image")
        } + [Report.line("\(title): everything else", [1000 * rest / Double(images)], unit: "ms/image")]
    }
}
