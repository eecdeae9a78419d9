import Crypto
import Foundation
import Foundations

/// A file on disk, compared with what is published of it.
public struct FileCheck: Sendable, Equatable {
    public enum Status: Sendable, Equatable {
        /// As published.
        case matches
        /// Nothing is published; as it was when it was fetched.
        case matchesRecord
        /// Nothing is published, and nothing was recorded.
        case unverified
        case missing
        case wrongSize(expected: Int, found: Int)
        case wrongDigest(algorithm: DigestAlgorithm, expected: String, found: String, isRecorded: Bool)
        case unreadable(reason: String)
    }

    public let name: String
    public let path: String
    public let bytes: Int?
    public let status: Status
    /// SHA-256, where the file was read.
    public let sha256: String?

    /// Reads a file from one end to the other.
    /// - Parameter step: told how many bytes have been read; false ends the reading.
    /// - Throws: ``FetchError/cancelled``; ``InputError/malformedFile(path:place:expected:)`` where the record of an
    ///   earlier digest cannot be understood.
    public init(_ file: DatasetsManifest.File, in folder: URL, step: (Int) -> Bool = { _ in true }) throws {
        let url = folder.appendingPathComponent(file.name)
        let record = DigestRecord(of: url)
        let recorded = try file.digests.isEmpty ? record.read() : nil
        name = file.name
        path = url.path

        let opened: RegularFile
        do {
            opened = try RegularFile(url.path)
        } catch {
            (bytes, sha256) = (nil, nil)
            status = error == .missing ? .missing : .unreadable(reason: error.text)
            return
        }
        let size = opened.size
        bytes = size
        if let expected = file.bytes, expected != size {
            sha256 = nil
            status = .wrongSize(expected: expected, found: size)
            return
        }
        var digest = FileDigest(includesMD5: file.md5 != nil)
        do {
            try digest.update(reading: opened, step: step)
        } catch is CancellationError {
            throw FetchError.cancelled
        } catch let fault as FileFault {
            sha256 = nil
            status = .unreadable(reason: fault.text)
            return
        }
        let found = digest.finalized()
        sha256 = found[.sha256]
        status = Self.status(found, published: file.digests, recorded: recorded)
    }

    /// Compares digests with those that are published, or else with the one that was recorded.
    static func status(
        _ found: [DigestAlgorithm: String], published: [DigestAlgorithm: String], recorded: String?
    ) -> Status {
        for (algorithm, expected) in published.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            if let found = found[algorithm], found != expected {
                return .wrongDigest(algorithm: algorithm, expected: expected, found: found, isRecorded: false)
            }
        }
        guard published.isEmpty else { return .matches }
        guard let recorded, let found = found[.sha256] else { return .unverified }
        return found == recorded
            ? .matchesRecord : .wrongDigest(algorithm: .sha256, expected: recorded, found: found, isRecorded: true)
    }
}

/// The digest that a file had when it was first seen, in a file beside it, as `sha256sum` writes and checks it.
struct DigestRecord {
    private let file: URL
    let url: URL

    init(of file: URL) {
        self.file = file
        url = file.appendingPathExtension("sha256")
    }

    /// - Returns: nil where there is none.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)``.
    func read() throws -> String? {
        let data: Data
        do {
            data = try RegularFile.contents(of: url.path, limit: 1 << 10)
        } catch FileFault.missing {
            return nil
        } catch {
            throw InputError.malformedFile(
                path: url.path, place: "file", expected: "a digest that can be read, not \(error.text)")
        }
        let digest = String(
            decoding: data.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }, as: UTF8.self
        ).lowercased()
        guard digest.utf8.count == DigestAlgorithm.sha256.length, digest.allSatisfy(\.isHexDigit) else {
            throw InputError.malformedFile(path: url.path, place: "line 1", expected: "64 hexadecimal digits")
        }
        return digest
    }

    func write(_ digest: String) throws {
        try OutputFolder.write(Data("\(digest)  \(file.lastPathComponent)\n".utf8), to: url)
    }
}

/// The digests that publishers of data sets give.
public enum DigestAlgorithm: String, Sendable, Codable {
    case md5 = "MD5"
    case sha256 = "SHA-256"

    /// Hexadecimal digits.
    var length: Int { self == .md5 ? 32 : 64 }
}

/// MD5 and SHA-256 of bytes that come piece by piece.
struct FileDigest {
    private var sha256 = SHA256()
    private var md5: Insecure.MD5?
    private(set) var count = 0

    /// - Parameter includesMD5: whether anything is to be compared with it.
    init(includesMD5: Bool) {
        md5 = includesMD5 ? Insecure.MD5() : nil
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        sha256.update(bufferPointer: bytes)
        md5?.update(bufferPointer: bytes)
        count += bytes.count
    }

    /// In lower-case hexadecimal digits; MD5 only where it was asked for.
    func finalized() -> [DigestAlgorithm: String] {
        var digests = [DigestAlgorithm.sha256: Foundations.Digest.hexadecimal(sha256.finalize())]
        if let md5 { digests[.md5] = Foundations.Digest.hexadecimal(md5.finalize()) }
        return digests
    }

    /// Reads an open file from its beginning to its end.
    /// - Parameter step: told how many bytes have been read, every MiB; false ends the reading.
    /// - Throws: `FileFault`; `CancellationError` where `step` ended it.
    mutating func update(reading file: RegularFile, step: (Int) -> Bool) throws {
        var told = 0
        try file.forEachPiece { piece in
            update(piece)
            guard count - told >= 1 << 20 else { return true }
            told = count
            guard step(count) else { throw CancellationError() }
            return true
        }
        guard step(count) else { throw CancellationError() }
    }
}
