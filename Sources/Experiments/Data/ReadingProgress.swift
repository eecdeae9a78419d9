import Foundation
import Synchronization

/// Says now and then how far a reading has come, if it takes long.
final class ReadingProgress: Sendable {
    private let what: String
    private let tell: @Sendable (String) -> Void
    private let next: Mutex<ContinuousClock.Instant>
    private static let interval = Duration.seconds(5)

    init(_ what: String, _ tell: @escaping @Sendable (String) -> Void) {
        (self.what, self.tell) = (what, tell)
        next = Mutex(ContinuousClock.now + Self.interval)
    }

    @Sendable func show(_ done: Int, of all: Int) {
        let isDue = next.withLock { next in
            guard ContinuousClock.now >= next else { return false }
            next = ContinuousClock.now + Self.interval
            return true
        }
        if isDue { tell("\(what), \(done) of \(all)") }
    }
}
