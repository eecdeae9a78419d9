import Foundation
import Foundations
import Inputs
import Synchronization

/// Shows on standard error how far a file is: a bar that redraws itself on a terminal, else a line every ten seconds.
final class TransferProgress: Sendable {
    private struct State {
        var lastShown = ContinuousClock.now
        /// Where the file and phase at work began, and when: for the speed.
        var begun = (key: "", bytes: 0, time: ContinuousClock.now)
        var isLineOpen = false
    }

    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let state = Mutex(State())

    /// For the reading of what is there.
    /// - Returns: true, so that the reading goes on.
    func read(_ file: DatasetsManifest.File, _ bytes: Int) -> Bool {
        show(Fetcher.Progress(file: file.name, phase: .reading, bytes: bytes, total: file.bytes))
        return true
    }

    func show(_ progress: Fetcher.Progress) {
        let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        let now = ContinuousClock.now
        let text: String? = state.withLock { state in
            let key = "\(progress.phase) \(progress.file)"
            if state.begun.key != key { state.begun = (key, progress.bytes, now) }
            guard now - state.lastShown >= interval else { return nil }
            state.lastShown = now
            state.isLineOpen = isTerminal
            return line(progress, begun: state.begun, now: now)
        }
        if let text { if isTerminal { Console.redraw(text) } else { Console.tell(text + "\n") } }
    }

    /// Leaves the line that redraws itself.
    func end() {
        let wasOpen = state.withLock { state in
            defer { state.isLineOpen = false }
            return state.isLineOpen
        }
        if wasOpen { Console.redraw("") }
    }

    private func line(
        _ progress: Fetcher.Progress, begun: (key: String, bytes: Int, time: ContinuousClock.Instant),
        now: ContinuousClock.Instant
    ) -> String {
        let seconds = (now - begun.time).seconds
        let speed = seconds > 0 ? Double(progress.bytes - begun.bytes) / seconds : 0
        var text = "  \(progress.file): \(progress.phase == .reading ? "reading, " : "")\(ByteCount(progress.bytes))"
        if let total = progress.total, total > 0 {
            let share = min(1, Double(progress.bytes) / Double(total))
            if isTerminal {
                let filled = Int(share * 20)
                text =
                    "  [\(String(repeating: "=", count: filled))\(String(repeating: " ", count: 20 - filled))]\(text)"
            }
            text += " of \(ByteCount(total)), \(Int(share * 100)) %"
            if speed > 0 { text += ", \(Progress.duration(Double(max(0, total - progress.bytes)) / speed)) left" }
        }
        if speed >= 1, speed < 0x1p60 { text += ", \(ByteCount(Int(speed)))/s" }
        return text
    }
}
