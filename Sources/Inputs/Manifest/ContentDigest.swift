import Crypto
import Foundation
import Foundations

/// SHA-256 in hexadecimal digits.
public enum ContentDigest {
    public static func sha256(_ data: some DataProtocol) -> String { hexadecimal(SHA256.hash(data: data)) }

    /// The digest of several pieces as if they stood one after the other.
    public static func sha256(_ pieces: [Data]) -> String {
        var hash = SHA256()
        for piece in pieces { hash.update(data: piece) }
        return hexadecimal(hash.finalize())
    }

    /// - Throws: ``InputError``.
    public static func sha256(ofFile url: URL, purpose: String) throws -> String {
        try InputError.reading(url, purpose: purpose) { try Digest.sha256(of: RegularFile(url.path)) }
    }

    private static func hexadecimal(_ digest: SHA256Digest) -> String {
        digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
