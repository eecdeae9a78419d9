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

extension Tokenizer {
    /// The file that OpenAI publishes its vocabulary as.
    public static let openAIVocabulary = "bpe_simple_vocab_16e6.txt.gz"

    /// The tokenizer of a model, as the library of its format has it.
    ///
    /// A Hugging Face folder has its own `vocab.json` and `merges.txt`. Models of OpenAI's and OpenCLIP's were trained
    /// with OpenAI's vocabulary: the file beside the weights, or else the one that the caller knows of. Where there is
    /// neither, `vocab.json` and `merges.txt` beside the weights serve, which LAION publishes with its models.
    ///
    /// - Parameters:
    ///   - folder: where the weights are.
    ///   - vocabulary: OpenAI's ``openAIVocabulary``, wherever it is.
    /// - Throws: ``TokenizerError``; ``TokenizerError/missingFile(path:)`` where there is no vocabulary.
    init(
        format: ModelFormat, folder: URL, vocabulary: URL?, configuration: TextConfiguration
    ) throws(TokenizerError) {
        func isThere(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
        }
        let own = folder.appendingPathComponent(Self.openAIVocabulary)
        guard let dialect = format.tokenizerDialect,
            isThere(Self.openAIVocabulary) || vocabulary != nil || !isThere("vocab.json")
        else {
            try self.init(folder: folder, configuration: configuration)
            return
        }
        let file = isThere(Self.openAIVocabulary) ? own : vocabulary ?? own
        try self.init(bpeFile: file, dialect: dialect, configuration: configuration)
    }
}

extension ModelFormat {
    /// Whose cleaning of texts goes with OpenAI's vocabulary; nil for the format that has its own.
    fileprivate var tokenizerDialect: TokenizerDialect? {
        switch self {
        case .huggingFace: nil
        case .openCLIP: .openCLIP
        case .openAI: .openAI
        }
    }
}
