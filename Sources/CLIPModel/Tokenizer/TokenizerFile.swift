import Foundation
import Foundations

/// The bytes of `vocab.json`, `merges.txt` and OpenAI's compressed file of merges.
enum TokenizerFile {
    /// Far above the 1.1 MB of CLIP's vocabulary, and far below what would strain memory.
    private static let limitInBytes = 64 << 20

    /// Reads a whole file that must be UTF-8, and may be compressed with gzip.
    static func decompressedBytes(at url: URL) throws(TokenizerError) -> [UInt8] {
        var bytes = try bytesAsTheyAre(at: url)
        if Inflation.isGzip(bytes) {
            do {
                bytes = try Inflation.gzip(bytes, limit: limitInBytes)
            } catch {
                switch error {
                case .truncated: throw .truncatedGzip(path: url.path)
                case .damaged: throw .damagedGzip(path: url.path)
                case .tooLarge(let limit): throw .fileTooLarge(path: url.path, limitInBytes: limit)
                }
            }
        }
        return try validated(bytes, url)
    }

    /// Reads a whole file that must be UTF-8.
    static func bytes(at url: URL) throws(TokenizerError) -> [UInt8] {
        try validated(try bytesAsTheyAre(at: url), url)
    }

    private static func bytesAsTheyAre(at url: URL) throws(TokenizerError) -> [UInt8] {
        do {
            return [UInt8](try RegularFile.contents(of: url.path, limit: limitInBytes))
        } catch {
            switch error {
            case .missing: throw .missingFile(path: url.path)
            case .tooLarge(_, let limit): throw .fileTooLarge(path: url.path, limitInBytes: limit)
            default: throw .unreadableFile(path: url.path, reason: error.text)
            }
        }
    }

    private static func validated(_ bytes: [UInt8], _ url: URL) throws(TokenizerError) -> [UInt8] {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw .notUTF8(path: url.path)
        }
        return bytes
    }
}
