import Experiments
import Foundation
import Synchronization

/// Shows on standard error what an export does: a line that redraws itself on a terminal, else one every ten
/// seconds; warnings stay.
final class ExportProgress: Sendable {
    private struct State {
        var lastShown = ContinuousClock.now
        var isLineOpen = false
    }

    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let state = Mutex(State())

    func show(_ event: ExportEvent) {
        switch event {
        case .progress(let stage, let done, let total): show("  \(stage): \(done) of \(total)")
        case .skipped(let picture, let reason): warn("\(picture): left out: \(reason)")
        case .doubtful(let picture, let warning): warn("\(picture): taken as it decodes, though damaged: \(warning)")
        case .truncated(let text, let tokens):
            warn("\(tokens) tokens are more than the model takes, so the end is cut off: \(text)")
        }
    }

    private func warn(_ text: String) {
        end()
        Console.tell("warning: \(text)\n")
    }

    private func show(_ text: String) {
        let isDue = state.withLock { state in
            guard ContinuousClock.now - state.lastShown >= (isTerminal ? .milliseconds(200) : .seconds(10)) else {
                return false
            }
            state.lastShown = .now
            state.isLineOpen = isTerminal
            return true
        }
        if isDue { if isTerminal { Console.redraw(text) } else { Console.tell(text + "\n") } }
    }

    /// Leaves the line that redraws itself.
    func end() {
        let wasOpen = state.withLock { state in
            defer { state.isLineOpen = false }
            return state.isLineOpen
        }
        if wasOpen { Console.redraw("") }
    }
}
