import Foundation

/// One request for a file, or for the rest of it, with the redirections on its way.
final class Attempt {
    private let file: DatasetsManifest.File
    private let part: PartialFile
    private let fetcher: Fetcher
    private let isCancelled: () -> Bool
    private let progress: (Int, Int?) -> Void

    /// The address as the manifest has it: redirections lead elsewhere every time.
    private var address = ""
    /// Scheme of the address that is asked now.
    private var scheme = FetchAddress.Scheme.https
    /// The answer has been accepted, and what comes is the file.
    private var hasBegun = false
    private var error: (any Error)?
    /// The server has another file, or sends another part: all of it has to come anew.
    private var mustRestart = false

    init(
        file: DatasetsManifest.File, part: PartialFile, fetcher: Fetcher, isCancelled: @escaping () -> Bool,
        progress: @escaping (Int, Int?) -> Void
    ) {
        self.file = file
        self.part = part
        self.fetcher = fetcher
        self.isCancelled = isCancelled
        self.progress = progress
    }

    /// - Throws: ``FetchError``.
    func run(from address: FetchAddress) throws {
        self.address = address.text
        var current = address
        var redirects = 0
        // Two files may be as long, and nothing would tell that they had been mixed.
        if part.origin?.validator == nil, file.digests.isEmpty { try part.restart() }
        while true {
            if isComplete { return }
            if let bytes = part.origin?.bytes { try part.checkRoom(for: bytes) }
            let transfer = CurlTransfer(
                receive: { [unowned self] in receive($0, $1) },
                goesOn: { [unowned self] in
                    progress(part.count, total)
                    return !isCancelled()
                })
            hasBegun = false
            scheme = current.scheme
            let outcome = transfer.run(
                current, headers: rangeHeaders(for: current),
                timeouts: (connect: fetcher.connectTimeout, stall: fetcher.stallTimeout))
            if let error { throw error }
            if mustRestart {
                // Even a whole file was asked for and a part was sent.
                guard part.count > 0 else {
                    throw FetchError.badStatus(address: current.text, status: transfer.head.status)
                }
                mustRestart = false
                try part.restart()
                continue
            }
            switch outcome {
            case .stopped: throw FetchError.cancelled
            case .timedOut: throw FetchError.timedOut(address: current.text, received: part.count)
            case .failed(let reason):
                throw FetchError.transferFailed(address: current.text, reason: reason, received: part.count)
            case .complete: break
            }
            if let location = transfer.redirect {
                redirects += 1
                guard redirects <= Fetcher.redirectLimit else {
                    throw FetchError.tooManyRedirects(address: address.text, limit: Fetcher.redirectLimit)
                }
                guard let next = FetchAddress(location), current.maySendOn(to: next) else {
                    throw FetchError.refusedRedirect(from: current.text, to: location)
                }
                current = next
                continue
            }
            return try accept(transfer.head, current)
        }
    }

    private var total: Int? { part.origin?.bytes ?? file.bytes }

    /// All bytes that the server stated are there already: it was interrupted just before the end.
    private var isComplete: Bool { part.origin?.bytes.map { $0 == part.count && $0 > 0 } ?? false }

    private func rangeHeaders(for address: FetchAddress) -> [String] {
        guard part.count > 0, address.scheme != .file, let origin = part.origin else { return [] }
        let range = "Range: bytes=\(part.count)-"
        return origin.validator.map { [range, "If-Range: \($0)"] } ?? [range]
    }

    // MARK: Answers

    /// Takes a piece of the body; that of an error or a redirection is passed over.
    private func receive(_ head: CurlTransfer.Head, _ bytes: UnsafeRawBufferPointer) -> Bool {
        do {
            guard try begin(head) else { return !mustRestart }
            if let limit = file.bytes ?? part.origin?.bytes, part.count + bytes.count > limit {
                part.discard()
                throw FetchError.wrongSize(path: part.target.path, expected: limit, found: part.count + bytes.count)
            }
            try part.append(bytes)
            return true
        } catch {
            self.error = error
            return false
        }
    }

    /// Whether the answer brings the file: looked at once, before its first byte.
    private func begin(_ head: CurlTransfer.Head) throws -> Bool {
        if hasBegun { return true }
        switch head.status {
        case 200,
            0 where scheme == .file:
            let length = head.fields["content-length"].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
            let origin = PartialFile.Origin(address: address, validator: Self.validator(head), bytes: length)
            try checkSize(origin.bytes)
            try part.begin(origin)
        case 206:
            let range = ContentRange(head.fields["content-range"] ?? "")
            guard let range, range.first == part.count, range.total == part.origin?.bytes || part.origin?.bytes == nil,
                part.count > 0
            else {
                mustRestart = true
                return false
            }
        default: return false
        }
        hasBegun = true
        return true
    }

    /// Looks at an answer that is over.
    private func accept(_ head: CurlTransfer.Head, _ current: FetchAddress) throws {
        // A file without bytes has no first one.
        if try begin(head) {
            guard total == nil || part.origin?.bytes == nil || part.count == part.origin?.bytes else {
                throw FetchError.transferFailed(
                    address: current.text, reason: "the connection was closed too early", received: part.count)
            }
            return
        }
        // The rest that was asked for is not there: the file is another one.
        if part.count > 0, mustRestart || head.status == 416 {
            mustRestart = false
            try part.restart()
            return try run(from: FetchAddress(address) ?? current)
        }
        throw FetchError.badStatus(address: current.text, status: head.status)
    }

    private func checkSize(_ bytes: Int?) throws {
        // An earlier part is kept: this may be the page of a network that wants a password.
        guard let bytes, let expected = file.bytes, bytes != expected else { return }
        throw FetchError.wrongSize(path: part.target.path, expected: expected, found: bytes)
    }

    /// What `If-Range` may hold: a weak tag says nothing of bytes.
    private static func validator(_ head: CurlTransfer.Head) -> String? {
        if let tag = head.fields["etag"], !tag.hasPrefix("W/") { return tag }
        return head.fields["last-modified"]
    }
}

/// `bytes 5-9/10`: which bytes an answer has, and of how many.
struct ContentRange: Equatable {
    let first: Int
    let total: Int?

    init?(_ text: String) {
        guard let match = text.wholeMatch(of: /bytes ([0-9]+)-([0-9]+)\/([0-9]+|\*)/), let first = Int(match.1) else {
            return nil
        }
        self.first = first
        total = Int(match.3)
    }
}
