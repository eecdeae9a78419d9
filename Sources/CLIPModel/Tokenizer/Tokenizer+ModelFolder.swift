import Foundation

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
