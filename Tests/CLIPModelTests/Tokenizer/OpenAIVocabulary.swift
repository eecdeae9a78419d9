import Foundation

/// The vocabulary that comes with the clone.
enum OpenAIVocabulary {
    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../models/clip-bpe/bpe_simple_vocab_16e6.txt.gz").standardizedFileURL
}
