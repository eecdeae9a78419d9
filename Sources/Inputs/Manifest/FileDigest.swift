import Crypto
import Foundation
import Foundations

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
