/// Why a file could not be fetched. Facts only; `runner` makes the words.
public enum FetchError: Error, Equatable, Sendable {
    /// The address is not one of http, https or file.
    case unsupportedAddress(String)
    /// The server sends on to an address that is not followed: from https to http, to a file, or elsewhere.
    case refusedRedirect(from: String, to: String)
    case tooManyRedirects(address: String, limit: Int)
    case badStatus(address: String, status: Int)
    /// The connection could not be made or was cut; what has come is kept.
    case transferFailed(address: String, reason: String, received: Int)
    /// No byte came for the time allowed; what has come is kept.
    case timedOut(address: String, received: Int)
    /// What the server offers, or has sent, is not as long as the manifest says; nothing of it is kept.
    case wrongSize(path: String, expected: Int, found: Int)
    /// Nothing of the file is kept.
    case wrongDigest(path: String, algorithm: DigestAlgorithm, expected: String, found: String, isRecorded: Bool)
    /// A file that was there before is not the one that is named; it is left as it is.
    case otherFile(path: String, status: FileCheck.Status)
    /// The folder or the file cannot be written to; nothing was transferred.
    case cannotWrite(path: String, errno: Int32)
    case saveFailed(path: String, errno: Int32, freeBytes: Int)
    /// The rest does not fit on the disk; nothing was transferred.
    case noRoom(path: String, needed: Int, freeBytes: Int)
    case cancelled
}
