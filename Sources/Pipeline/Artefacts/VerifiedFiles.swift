import Foundation
import Synchronization

/// Files whose digests this process has checked while it held the folder: the plans of several experiments
/// share steps, and nobody else may write meanwhile. Only plans rely on it; whatever is read is checked again.
final class VerifiedFiles: Sendable {
    private let digests = Mutex<[String: String]>([:])

    /// Whether the file was found to have the digest, and is still there.
    func contains(_ url: URL, sha256: String) -> Bool {
        digests.withLock { $0[url.path] == sha256 } && access(url.path, R_OK) == 0
    }

    func insert(_ url: URL, sha256: String) {
        digests.withLock { $0[url.path] = sha256 }
    }
}
