import Dispatch
import Foundation
import Pipeline
import Synchronization

/// Turns SIGINT and SIGTERM into a cancellation: the first asks the workers to finish their shards, the
/// second leaves at once. Nothing needs cleaning up either way. Before there is work to finish, the first leaves
/// at once, too: reading a large model or data set takes minutes, and nothing of it is lost.
///
/// Unchecked, because Dispatch's sources are not marked: they are made in `init` and not touched again.
final class Interruption: @unchecked Sendable {
    let cancellation = Cancellation()
    private let received = Mutex<Int32?>(nil)
    private let hasWork: Atomic<Bool>
    private let tellBeforeWork: @Sendable (Failure.Code) -> Void
    private var sources: [any DispatchSourceSignal] = []

    /// - Parameter tell: says how to go on after a signal that comes before ``beginWork()``; nil where there is work
    ///   from the start.
    init(beforeWork tell: (@Sendable (Failure.Code) -> Void)? = nil) {
        hasWork = Atomic(tell == nil)
        tellBeforeWork = tell ?? { _ in }
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in self?.handle(number) }
            source.resume()
            sources.append(source)
        }
    }

    /// From now on the first signal waits for the work.
    func beginWork() { hasWork.store(true, ordering: .relaxed) }

    /// The exit code of the signal that came, if one did.
    var code: Failure.Code? {
        received.withLock { $0 }.map { $0 == SIGTERM ? .terminated : .interrupted }
    }

    private func handle(_ number: Int32) {
        let isFirst = received.withLock { received in
            defer { received = received ?? number }
            return received == nil
        }
        guard isFirst else { _exit(128 + number) }
        guard hasWork.load(ordering: .relaxed) else {
            tellBeforeWork(code ?? .interrupted)
            _exit(128 + number)
        }
        cancellation.cancel()
        Console.tell("\nstopping after the batch at work; once more to leave at once\n")
    }
}
