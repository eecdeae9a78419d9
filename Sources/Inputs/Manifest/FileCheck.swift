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
