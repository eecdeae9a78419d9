import Foundation

/// The bytes of `vocab.json` and `merges.txt`.
enum TokenizerFile {
    /// Far above the 1.1 MB of CLIP's vocabulary, and far below what would strain memory.
    private static let limitInBytes = 64 << 20

    /// Reads a whole file that must be UTF-8.
    static func bytes(at url: URL) throws(TokenizerError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.bytes(at: url, limit: limitInBytes)
        } catch {
            switch error {
            case .missing: throw .missingFile(path: url.path)
            case .unreadable(let reason): throw .unreadableFile(path: url.path, reason: reason)
            case .tooLarge(let limit): throw .fileTooLarge(path: url.path, limitInBytes: limit)
            }
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw .notUTF8(path: url.path)
        }
        return bytes
    }
}
