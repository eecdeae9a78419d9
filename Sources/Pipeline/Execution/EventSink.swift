import Synchronization

/// Passes events on, one at a time, from whichever thread they come.
final class EventSink: Sendable {
    private let turn = Mutex(())
    private let observer: @Sendable (ExecutionEvent) -> Void

    init(_ observer: @escaping @Sendable (ExecutionEvent) -> Void) {
        self.observer = observer
    }

    func send(_ event: ExecutionEvent) {
        turn.withLock { _ in observer(event) }
    }
}
