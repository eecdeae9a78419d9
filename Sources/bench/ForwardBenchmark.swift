import CLIPModel

/// Images a second of the vision transformer, as a share of the SGEMM peak of the same workers.
struct ForwardBenchmark {
    static let goal = 0.70
    private let model: BenchmarkModel
    private let peak: Workers<MatrixPeak>
    private let forward: Workers<VisionWorkspace>
    private let tower: VisionTransformer
    private let images: [UInt8]

    init(_ model: BenchmarkModel, _ tower: VisionTransformer, workers: Int) {
        self.model = model
        self.tower = tower
        peak = Workers(workers) { MatrixPeak() }
        forward = Workers(workers) { VisionWorkspace(tower, capacity: model.batch) }
        images = model.images(model.batch, seed: 2)
    }

    /// Peak and forward pass by turns, so that whatever else the machine does disturbs both.
    func run(repeats: Int) -> [String] {
        let (tower, images, batch) = (tower, images, model.batch)
        func pass() -> Double {
            forward.time { workspace in
                images.withUnsafeBufferPointer { pixels in
                    guard let base = pixels.baseAddress else { return }
                    tower(base, batch: batch, workspace)
                }
            }
        }
        _ = (MatrixPeak.measure(peak), pass())  // touches all memory
        var (peaks, rates, shares) = ([Double](), [Double](), [Double]())
        for _ in 0..<repeats {
            let before = MatrixPeak.measure(peak)
            let rate = Double(forward.count * batch) / pass()
            let best = max(before, MatrixPeak.measure(peak))
            peaks.append(best * 1e-9)
            rates.append(rate)
            shares.append(rate * model.operations / best)
        }
        let title = "\(model.name), \(forward.count) worker\(forward.count == 1 ? "" : "s") × batch \(batch)"
        return [
            Report.line("\(title): SGEMM peak", peaks, unit: "GFLOP/s"),
            Report.line("\(title): forward pass", rates, unit: "images/s"),
            Report.line("\(title): share of peak", shares.map { 100 * $0 }, unit: "%", goal: .atLeast(100 * Self.goal)),
        ]
    }
}
