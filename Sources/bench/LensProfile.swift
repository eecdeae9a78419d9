import DenseMath
import Dispatch

/// Which kernels take the time that the lens adds to a forward pass. Counting slows the small ones, so that it is done
/// after the measurement, not in it.
struct LensProfile {
    private let added: [(kernel: KernelProfile.Kernel, totals: KernelProfile.Totals)]
    private let seconds: Double
    private let images: Int

    /// - Parameter images: of all repeats together.
    init(plain: () -> Void, withLens: () -> Void, images: Int, repeats: Int) {
        KernelProfile.begin()
        func count(_ body: () -> Void) -> (totals: [KernelProfile.Totals], seconds: Double) {
            let (before, start) = (KernelProfile.read(), DispatchTime.now())
            for _ in 0..<repeats { body() }
            return (zip(KernelProfile.read(), before).map { $0 - $1 }, start.seconds)
        }
        let (without, with) = (count(plain), count(withLens))
        KernelProfile.end()
        added = KernelProfile.Kernel.allCases.map { ($0, with.totals[$0.rawValue] - without.totals[$0.rawValue]) }
        seconds = with.seconds - without.seconds
        self.images = images
    }

    func lines(_ title: String) -> [String] {
        let kernels = added.filter { $0.totals.calls > 0 }.sorted { $0.totals.seconds > $1.totals.seconds }
        let rest = seconds - kernels.reduce(0) { $0 + $1.totals.seconds }
        return kernels.map { kernel, totals in
            let rates = "\(Int(totals.operations / max(totals.seconds, 1e-9) * 1e-9)) GFLOP/s, \(Int(totals.bytes / max(totals.seconds, 1e-9) * 1e-9)) GB/s"
            return Report.line("\(title): of that, \(kernel) at \(rates)", [1000 * totals.seconds / Double(images)], unit: "ms/image")
        } + [Report.line("\(title): of that, everything else", [1000 * rest / Double(images)], unit: "ms/image")]
    }
}
