import DenseMath
import Dispatch

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
