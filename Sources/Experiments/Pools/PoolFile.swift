import Foundation
import Foundations
import Pipeline

/// A pool of phrases in a text file, a phrase a line.
enum PoolFile {
    /// Far above the 30 000 words of the paper.
    private static let sizeLimit = 64 << 20
    /// Characters of a phrase; a CLIP reads about 300.
    private static let longestPhrase = 500

    /// - Throws: ``ExperimentError/malformedPool(path:line:reason:)`` for an empty line or a phrase that
    ///   stands twice, which would be chosen or counted twice, or what is no phrase; `.poolNotRead(path:reason:)`. None
    ///   quotes the file, which may be none that its reader wants to see in a log.
    static func phrases(contentsOf url: URL) throws -> [String] {
        let data: Data
        do {
            data = try RegularFile.contents(of: url.path, limit: sizeLimit)
        } catch .tooLarge {
            throw ExperimentError.malformedPool(
                path: url.path, line: 1, reason: "a pool has at most \(sizeLimit) bytes")
        } catch {
            throw ExperimentError.poolNotRead(path: url.path, reason: error.text)
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            let valid = data.split(separator: 10, omittingEmptySubsequences: false).prefix {
                String(validating: $0, as: UTF8.self) != nil
            }
            throw ExperimentError.malformedPool(path: url.path, line: valid.count + 1, reason: "it is not UTF-8 text")
        }
        var lines = text.split(separator: /\r\n|\n|\r/, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var seen: [String: Int] = [:]
        return try lines.enumerated().map { index, line in
            let phrase = line.trimmingCharacters(in: .whitespaces)
            guard !phrase.isEmpty else {
                throw ExperimentError.malformedPool(path: url.path, line: index + 1, reason: "the line is empty")
            }
            guard phrase.count <= longestPhrase,
                !phrase.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else {
                throw ExperimentError.malformedPool(
                    path: url.path, line: index + 1,
                    reason: "a phrase has at most \(longestPhrase) characters, and no tabs or control characters")
            }
            if let first = seen.updateValue(index + 1, forKey: phrase) {
                throw ExperimentError.malformedPool(
                    path: url.path, line: index + 1, reason: "the phrase stands on line \(first) already")
            }
            return phrase
        }
    }
}
