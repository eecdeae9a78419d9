import Foundation
import Pipeline
import Synchronization

/// Shows on standard error what a run is doing: a line that redraws itself on a terminal, else a line
/// when a step starts or ends and every ten seconds between.
final class Progress: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let lastShown: Mutex<ContinuousClock.Instant>
    /// Whether nothing is said of steps that take less than ten seconds.
    private let isOfUnitsOnly: Bool

    init(isOfUnitsOnly: Bool = false) {
        self.isOfUnitsOnly = isOfUnitsOnly
        lastShown = Mutex(ContinuousClock.now - (isOfUnitsOnly ? .zero : .seconds(60)))
    }

    func show(_ event: ExecutionEvent) {
        switch event {
        case .planned, .started, .finished: if isOfUnitsOnly { return }
        case .removedDamaged, .progress: break
        }
        switch event {
        case .planned(let plan):
            if plan.stepsToRun > 0 {
                line(
                    "\(plan.entries.count) steps, \(plan.stepsToRun) to compute, over \(plan.unitsLeft) images and other units"
                )
            }
        case .removedDamaged(let file, let step):
            line("warning: \(file.path) was damaged (\(file.damage)); \(step) is computed again")
        case .started(let entry, let workers):
            let units = entry.unitsLeft > 0 ? ", \(entry.unitsLeft) units" : ""
            let memory = entry.memory.map { ", up to \(ByteCount($0.bytes(workers: workers)))" } ?? ""
            line("\(entry.name)\(units), \(workers) worker\(workers == 1 ? "" : "s")\(memory)")
        case .progress(let progress):
            let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
            let isDue = lastShown.withLock { last in
                guard ContinuousClock.now - last >= interval else { return false }
                last = .now
                return true
            }
            guard isDue else { return }
            let left = progress.secondsLeft.map { ", \(Self.duration($0)) left" } ?? ""
            let text = "  \(progress.step): \(progress.unitsDone) of \(progress.units)\(left)"
            isTerminal ? Console.redraw(text) : Console.tell(text + "\n")
        case .finished(let outcome):
            guard outcome.status == .computed else { return }
            line("  \(outcome.kind): done in \(Self.duration(outcome.seconds))")
        }
    }

    private func line(_ text: String) {
        isTerminal ? Console.redraw(text, end: "\n") : Console.tell(text + "\n")
    }

    /// `3.2 s`, `48 s`, `2 min 5 s`.
    static func duration(_ seconds: Double) -> String {
        if seconds < 10 { return "\((seconds * 10).rounded() / 10) s" }
        let whole = Int(seconds.rounded())
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }
}
