import Crypto
import Foundation

/// SHA-256 digests, as 64 lower-case hexadecimal digits.
public enum Digest {
    public static func sha256(of bytes: some ContiguousBytes) -> String { hexadecimal(digest(of: bytes)) }

    /// The digest of several pieces as if they stood one after the other.
    public static func sha256(of pieces: [Data]) -> String {
        var running = RunningDigest()
        for piece in pieces { running.add(piece) }
        return running.value
    }

    /// The digest's 32 bytes, for who writes them in another way.
    public static func sha256Bytes(of bytes: some ContiguousBytes) -> Data { Data(digest(of: bytes)) }

    private static func digest(of bytes: some ContiguousBytes) -> SHA256.Digest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash.finalize()
    }

    /// The digest of a file, read in pieces.
    /// - Throws: ``FileFault``.
    public static func sha256(of file: RegularFile) throws -> String {
        var hash = SHA256()
        try file.forEachPiece { piece in
            hash.update(bufferPointer: piece)
            return true
        }
        return hexadecimal(hash.finalize())
    }

    /// Two lower-case hexadecimal digits a byte.
    package static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }
}

/// A SHA-256 digest of bytes that are not all there at once.
public struct RunningDigest {
    private var hash = SHA256()

    public init() {}

    public mutating func add(_ bytes: some ContiguousBytes) {
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }

    /// Digest of the bytes so far, in hexadecimal.
    public var value: String { Digest.hexadecimal(hash.finalize()) }
}
