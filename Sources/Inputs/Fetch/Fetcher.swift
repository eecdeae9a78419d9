import Foundation

/// Downloads files by what the manifest says of them.
///
/// A file is resumed where an earlier attempt ended, if the server can and still has the same file; it is compared
/// with its published digests while it comes, and gets its name only if they are its own. Where none is published,
/// the digest that was found is recorded beside it (``DigestRecord``), and is what the file is compared with from
/// then on.
///
/// Source for resuming: RFC 9110, §13.1.5 (If-Range), §14 (Range), §15.4 (redirection).
public struct Fetcher: Sendable {
    /// Seconds to wait for a connection.
    public var connectTimeout = 30
    /// Seconds to wait for a byte.
    public var stallTimeout = 60
    /// How often a transfer that was cut is taken up again, as long as every attempt brings more.
    public var attempts = 5
    /// Seconds between attempts.
    public var pause = 2.0

    static let redirectLimit = 5

    public struct Progress: Sendable, Equatable {
        public enum Phase: Sendable {
            /// Reading what is on disk already.
            case reading
            case downloading
        }

        public let file: String
        public let phase: Phase
        public let bytes: Int
        /// Nil where neither the manifest nor the server says.
        public let total: Int?

        public init(file: String, phase: Phase, bytes: Int, total: Int?) {
            self.file = file
            self.phase = phase
            self.bytes = bytes
            self.total = total
        }
    }

    /// A file that is there now.
    public struct Fetched: Sendable, Equatable {
        public let path: String
        public let bytes: Int
        public let sha256: String
        /// How sure it is that the file is the right one; never a status of failure.
        public let status: FileCheck.Status
        /// Whether it was there before.
        public let wasThere: Bool
        /// The bytes that came this time.
        public let received: Int
    }

    public init() {}

    /// Fetches a file, unless it is there.
    ///
    /// - Parameters:
    ///   - folder: is there; nobody else fetches into it meanwhile.
    ///   - isCancelled: asked about once a second; what has come is kept.
    /// - Throws: ``FetchError``; ``InputError/malformedFile(path:place:expected:)`` for the record of a digest.
    public func fetch(
        _ file: DatasetsManifest.File, into folder: URL, isCancelled: @escaping () -> Bool = { false },
        progress: @escaping (Progress) -> Void = { _ in }
    ) throws -> Fetched {
        let reading = { (bytes: Int) in
            progress(Progress(file: file.name, phase: .reading, bytes: bytes, total: file.bytes))
            return !isCancelled()
        }
        let check = try FileCheck(file, in: folder, step: reading)
        switch check.status {
        case .missing: break
        case .matches, .matchesRecord, .unverified:
            let sha256 = check.sha256 ?? ""
            if check.status == .unverified { try record(sha256, of: check.path) }
            return Fetched(
                path: check.path, bytes: check.bytes ?? 0, sha256: sha256, status: check.status, wasThere: true,
                received: 0)
        case .wrongSize, .wrongDigest, .unreadable: throw FetchError.otherFile(path: check.path, status: check.status)
        }
        guard let address = file.address.flatMap(FetchAddress.init) else {
            throw FetchError.unsupportedAddress(file.address ?? "")
        }
        let target = folder.appendingPathComponent(file.name)
        let part = try PartialFile(of: target, address: address.text, includesMD5: file.md5 != nil, step: reading)
        do {
            try transfer(file, from: address, to: part, isCancelled: isCancelled) { bytes, total in
                progress(Progress(file: file.name, phase: .downloading, bytes: bytes, total: total))
            }
        } catch {
            if part.count == 0 { part.discard() }
            throw error
        }
        return try conclude(file, part)
    }

    /// Compares what has come, and gives it its name or removes it.
    private func conclude(_ file: DatasetsManifest.File, _ part: PartialFile) throws -> Fetched {
        let path = part.target.path
        if let expected = file.bytes, part.count != expected {
            part.discard()
            throw FetchError.wrongSize(path: path, expected: expected, found: part.count)
        }
        let digests = part.digests()
        let recorded = try file.digests.isEmpty ? DigestRecord(of: part.target).read() : nil
        let status = FileCheck.status(digests, published: file.digests, recorded: recorded)
        if case .wrongDigest(let algorithm, let expected, let found, let isRecorded) = status {
            part.discard()
            throw FetchError.wrongDigest(
                path: path, algorithm: algorithm, expected: expected, found: found, isRecorded: isRecorded)
        }
        let sha256 = digests[.sha256] ?? ""
        try part.finish()
        if status == .unverified { try record(sha256, of: path) }
        return Fetched(
            path: path, bytes: part.count, sha256: sha256, status: status, wasThere: false, received: part.received)
    }

    private func record(_ sha256: String, of path: String) throws {
        let record = DigestRecord(of: URL(fileURLWithPath: path))
        do {
            try record.write(sha256)
        } catch {
            throw FetchError.saveFailed(
                path: record.url.path, errno: EIO, freeBytes: PartialFile.freeBytes(at: record.url))
        }
    }

    // MARK: Attempts

    /// Transfers until the whole file is there, taking up what was cut.
    private func transfer(
        _ file: DatasetsManifest.File, from address: FetchAddress, to part: PartialFile,
        isCancelled: @escaping () -> Bool, progress: @escaping (Int, Int?) -> Void
    ) throws {
        var attempt = 1
        while true {
            let before = part.count
            do {
                return try Attempt(
                    file: file, part: part, fetcher: self, isCancelled: isCancelled, progress: progress
                ).run(from: address)
            } catch let error as FetchError {
                guard error.isPassing, part.count > before, attempt < attempts else { throw error }
            }
            attempt += 1
            try wait(isCancelled)
        }
    }

    private func wait(_ isCancelled: () -> Bool) throws {
        let end = ContinuousClock.now + .seconds(pause)
        while ContinuousClock.now < end {
            if isCancelled() { throw FetchError.cancelled }
            usleep(20_000)
        }
    }
}

extension FetchError {
    /// Whether the same request may succeed a moment later.
    fileprivate var isPassing: Bool {
        switch self {
        case .transferFailed, .timedOut: true
        default: false
        }
    }
}

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

/// An address that files may be fetched from.
struct FetchAddress: Equatable {
    enum Scheme: String {
        case http, https, file
    }

    let text: String
    let scheme: Scheme

    /// Nil for other schemes, for an address without one, and for what no address holds.
    init?(_ text: String) {
        guard let end = text.range(of: "://"), let scheme = Scheme(rawValue: text[..<end.lowerBound].lowercased()),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), end.upperBound < text.endIndex
        else { return nil }
        self.text = text
        self.scheme = scheme
    }

    /// Whether a server at this address may send on to another: never to a file, and never to where others can listen.
    func maySendOn(to target: FetchAddress) -> Bool {
        target.scheme == .https || (target.scheme == .http && scheme == .http)
    }
}
