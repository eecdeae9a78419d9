import Foundation
#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif
import Foundations
import Synchronization

/// One HTTP request and its answer, waited for on the caller's thread, bounded in time and size.
///
/// Redirections are not followed: the key in the header is for the server that was named.
final class HTTPExchange: NSObject, URLSessionDataDelegate {
    enum Outcome: Sendable {
        case answered(status: Int, body: Data)
        case failed(reason: String)
        case timedOut
        case cancelled
        case tooLarge
    }

    private struct Progress {
        var body = Data()
        var outcome: Outcome?
        /// The session has been told not to follow a redirection.
        var isRedirected = false
    }

    /// The caller is asked this often whether it still waits.
    private static let heartbeat = 0.05

    private let limit: Int
    private let progress = Mutex(Progress())
    private let end = DispatchSemaphore(value: 0)

    /// - Parameter limit: bytes of the body.
    init(limit: Int) { self.limit = limit }

    /// - Parameter timeout: seconds for everything: a server that sends a byte now and then gets no more.
    func run(_ request: URLRequest, timeout: Double, isCancelled: () -> Bool) -> Outcome {
        let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)
        session.dataTask(with: request).resume()
        if let missing = wait(until: .now + .seconds(timeout), isCancelled: isCancelled) { finish { _ in missing } }
        let (outcome, isRedirected) = progress.withLock { ($0.outcome, $0.isRedirected) }
        // Foundation's session traps if a task ends between the answer to its redirection and its own end.
        if isRedirected { session.finishTasksAndInvalidate() } else { session.invalidateAndCancel() }
        return outcome ?? .failed(reason: "no answer")
    }

    /// - Returns: why there is no outcome; nil where there is one.
    private func wait(until deadline: ContinuousClock.Instant, isCancelled: () -> Bool) -> Outcome? {
        while true {
            let left = (deadline - .now).seconds
            if end.wait(timeout: .now() + max(0, min(left, Self.heartbeat))) == .success { return nil }
            if isCancelled() { return .cancelled }
            if left <= 0 { return .timedOut }
        }
    }

    /// Keeps the first outcome.
    private func finish(_ outcome: (Data) -> Outcome) {
        let isFirst = progress.withLock { progress in
            // A server that floods goes on until the connection is closed.
            guard progress.outcome == nil else { return false }
            progress.outcome = outcome(progress.body)
            return true
        }
        if isFirst { end.signal() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        let isWaitedFor = progress.withLock { progress in
            progress.isRedirected = progress.outcome == nil
            return progress.isRedirected
        }
        // The redirection itself then becomes the task's response. A task that is cancelled takes no answer.
        if isWaitedFor { completionHandler(nil) }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLarge = progress.withLock { progress in
            // A server that floods goes on until the connection is closed.
            guard progress.outcome == nil else { return false }
            progress.body.append(data)
            return progress.body.count > limit
        }
        if isTooLarge {
            finish { _ in .tooLarge }
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let error {
            let timedOut = (error as? URLError)?.code == .timedOut
            finish { _ in timedOut ? .timedOut : .failed(reason: error.localizedDescription) }
        } else if let response = task.response as? HTTPURLResponse {
            finish { .answered(status: response.statusCode, body: $0) }
        } else {
            finish { _ in .failed(reason: "an answer that is not HTTP") }
        }
    }
}
