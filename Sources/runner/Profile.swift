import DenseMath
import Foundation
import Foundations
import Pipeline
import Results
import Synchronization

/// Where the time and the memory of a run go: its steps one after the other, and in each the kernels on all workers.
final class Profile: Sendable {
    private let peak: MachinePeak
    private let workers: Int
    private let calibration: Calibration?
    private let state: Mutex<State>

    private struct State {
        var before: [KernelProfile.Totals]
        /// What the plan said that the step at work would take.
        var stated: (seconds: Double?, bytes: Int?)
        /// Whether the peak is that of the step at work.
        var isPeakReset = false
        var steps: [Step] = []
    }

    private struct Step {
        let name: String
        let seconds: Double
        let kernels: [KernelProfile.Totals]
        /// What the plan said that the step would take.
        let stated: (seconds: Double?, bytes: Int?)
        /// The most memory that the program took meanwhile, in bytes.
        let peak: Int?
    }

    /// Measures the machine first, which takes a second.
    /// - Parameter calibration: the speeds that the plan's times are of; nil where nobody asked for them.
    init(workers: Int, calibration: Calibration?) {
        (self.workers, self.calibration) = (workers, calibration)
        peak = MachinePeak.measure(threads: min(workers, ProcessInfo.processInfo.activeProcessorCount))
        KernelProfile.begin()
        state = Mutex(State(before: KernelProfile.read()))
    }

    func note(_ event: ExecutionEvent) {
        if case .started(let entry, let workers) = event {
            let isReset = ProcessMemory.resetPeak()
            let seconds = calibration.flatMap { entry.seconds(workers: workers, $0) }
            let bytes = entry.memory?.bytes(workers: workers)
            state.withLock { ($0.stated, $0.isPeakReset) = ((seconds, bytes), isReset) }
        }
        guard case .finished(let outcome) = event, outcome.status == .computed else { return }
        let now = KernelProfile.read()
        state.withLock { state in
            let name = outcome.label.isEmpty ? outcome.kind : "\(outcome.kind) (\(outcome.label))"
            state.steps.append(
                Step(
                    name: name, seconds: outcome.seconds, kernels: zip(now, state.before).map { $0 - $1 },
                    stated: state.stated, peak: state.isPeakReset ? ProcessMemory.peak : nil))
            state.before = now
        }
    }

    /// - Throws: `OutputError`.
    func write(to folder: OutputFolder, isPrinted: Bool) throws {
        let steps = state.withLock { $0.steps }
        let fields = steps.flatMap { step in
            KernelProfile.Kernel.allCases.compactMap { kernel -> [Attachment.Field]? in
                let totals = step.kernels[kernel.rawValue]
                guard totals.calls > 0 else { return nil }
                return [
                    .text(step.name), .number(step.seconds), .text(kernel.words), .integer(totals.calls),
                    .number(totals.seconds),
                    .number(totals.operations * 1e-9), .number(totals.bytes * 1e-9),
                    .number(totals.share(of: peak, kernel, workers: workers)),
                ]
            }
        }
        let header = [
            "step", "step_seconds", "kernel", "calls", "kernel_seconds_of_all_workers", "gflop", "gbyte",
            "share_of_peak",
        ]
        _ = try CSVExport.write(
            Attachment("profile.csv", .list(header: header, rows: fields)), to: folder, as: "profile.csv")
        let stated = steps.map { step -> [Attachment.Field] in
            [
                .text(step.name), step.stated.seconds.map { .number($0) } ?? .text(""), .number(step.seconds),
                step.stated.bytes.map { .integer($0) } ?? .text(""), step.peak.map { .integer($0) } ?? .text(""),
            ]
        }
        _ = try CSVExport.write(
            Attachment(
                "profile-steps.csv",
                .list(header: ["step", "stated_seconds", "seconds", "stated_bytes", "peak_bytes"], rows: stated)),
            to: folder, as: "profile-steps.csv")
        if isPrinted { try Console.print(table(steps).rendered() + "\n" + statedTable(steps).rendered() + "\n") }
    }

    private func statedTable(_ steps: [Step]) -> TextTable {
        var table = TextTable(
            title: "What the plan stated, and what steps took",
            columns: [
                .init("step"), .init("seconds, stated", .right), .init("taken", .right),
                .init("memory, stated", .right), .init("at most", .right),
            ])
        func format(_ seconds: Double) -> String { NumberFormat(decimals: 1).text(seconds) }
        for step in steps where step.stated.bytes != nil || step.stated.seconds != nil {
            table.addRow(
                [step.name, step.stated.seconds.map(format) ?? "", format(step.seconds)]
                    + [step.stated.bytes, step.peak].map { $0.map { "\(ByteCount($0))" } ?? "" })
        }
        return table
    }

    private func table(_ steps: [Step]) -> TextTable {
        var table = TextTable(
            title: "Where the time went",
            columns: [
                .init("step"), .init("seconds", .right), .init("kernel"), .init("share of time (%)", .right),
                .init("calls", .right),
                .init("GFLOP", .right), .init("GFLOP/s", .right), .init("GB/s", .right), .init("of peak (%)", .right),
            ])
        func format(_ value: Double, _ decimals: Int = 1) -> String { NumberFormat(decimals: decimals).text(value) }
        // What takes no time explains none.
        for step in steps where step.seconds >= 0.05 {
            let available = step.seconds * Double(workers)
            var (first, rest) = (true, available)
            func add(_ kernel: String, _ cells: [String]) {
                table.addRow([first ? step.name : "", first ? format(step.seconds) : "", kernel] + cells)
                first = false
            }
            let order = KernelProfile.Kernel.allCases.sorted {
                step.kernels[$0.rawValue].seconds > step.kernels[$1.rawValue].seconds
            }
            for kernel in order {
                let totals = step.kernels[kernel.rawValue]
                rest -= totals.seconds
                guard totals.seconds >= 0.01 * available else { continue }
                add(
                    kernel.words,
                    [
                        format(100 * totals.seconds / available), "\(totals.calls)", format(totals.operations * 1e-9),
                        format(totals.operations / totals.seconds * 1e-9), format(totals.bytes / totals.seconds * 1e-9),
                        format(100 * totals.share(of: peak, kernel, workers: workers)),
                    ])
            }
            add("everything else, waiting included", [format(100 * max(0, rest) / available)])
        }
        table.addFootnote(
            "Peak of \(workers) workers, measured: \(format(peak.operations * 1e-9, 0)) GFLOP/s (\(format(peak.roundedOperations * 1e-9, 0)) in bf16), \(format(peak.bytes * 1e-9)) GB/s. A kernel's rates are of one worker;"
        )
        table.addFootnote(
            "of peak: the larger of its shares in a worker's part of both. Caches can give more bytes than memory.")
        return table
    }
}

extension KernelProfile.Totals {
    /// How much of the peak the kernel reaches: the larger of its shares in a worker's operations and bytes.
    fileprivate func share(of peak: MachinePeak, _ kernel: KernelProfile.Kernel, workers: Int) -> Double {
        guard seconds > 0 else { return 0 }
        let products = kernel == .roundedLinear ? peak.roundedOperations : peak.operations
        return Double(workers) * max(operations / seconds / products, bytes / seconds / peak.bytes)
    }
}

extension KernelProfile.Kernel {
    fileprivate var words: String {
        switch self {
        case .linear: "linear layers"
        case .roundedLinear: "linear layers in bf16"
        case .product: "other products"
        case .doubleProduct: "products in double precision"
        case .layerNorm: "layer norm"
        case .softmax: "softmax"
        case .activation: "activation"
        case .rows: "sums and squares of rows"
        case .triangle: "norms through triangles"
        case .pursuit: "matching pursuit"
        }
    }
}
