import Foundation
import Foundations
import Inputs
import Pipeline

/// Where a pool of phrases comes from, as a spec's `pools:` has it:
///
/// ```yaml
/// pools:
///   - {name: words, source: names-and-keywords}
///   - {name: captions, source: captions}
///   - {name: mine, file: pools/my-words.txt}          # a phrase a line; begins at the spec's folder
///   - {name: common, data: pools/common-words.txt}    # the same in the folder of data
/// ```
struct PoolSpec: Sendable {
    enum Source: Sendable {
        /// Names and keywords of the world's classes, each once.
        case namesAndKeywords
        /// Captions of the fit set, each once.
        case captions
        /// The lines of a file.
        case phrases(SharedFile<[String]>)
    }

    var name: String
    var source: Source

    /// What rows call the random vectors that stand beside it.
    var randomName: String { "\(name)-random" }

    /// By the name that papers' files use: phrases of a file by their digest.
    /// - Throws: ``ExperimentError`` for what is wrong in the file.
    func setting() throws -> String {
        switch source {
        case .namesAndKeywords: return "names and keywords"
        case .captions: return "captions"
        case .phrases(let file):
            let phrases = try file.contents()
            return
                "\(phrases.count) phrases, \(Digest.sha256(of: Data(phrases.joined(separator: "\n").utf8)).prefix(12))"
        }
    }

    /// Phrases of the pool; of captions, which are known when the images are made, as many as there are images.
    /// - Throws: `InputError`; ``ExperimentError`` for what is wrong in a file.
    func phraseCount(in study: Study) throws -> Int {
        switch source {
        case .namesAndKeywords: try study.classes.namesAndKeywords().count
        case .captions: study.fit.count
        case .phrases(let file): try file.contents().count
        }
    }

    private enum Key: String, CaseIterable {
        case name, source, file, data
    }

    private enum BuiltIn: String, CaseIterable {
        case namesAndKeywords = "names-and-keywords"
        case captions
    }

    /// Reads a `pools:` that has to list one pool.
    /// - Parameter data: the folder of data.
    static func one<Root>(_ root: SpecMapping<Root>, _ key: Root, data: URL) -> PoolSpec {
        let pools = list(root, key, data: data)
        root.check(key, holds: pools.count == 1, "this experiment takes one pool, here are \(pools.count)")
        return pools.first ?? PoolSpec(name: "", source: .namesAndKeywords)
    }

    /// Reads `pools:`; what is in the files is read by whoever asks for it.
    /// - Parameter data: the folder of data.
    static func list<Root>(_ root: SpecMapping<Root>, _ key: Root, data: URL) -> [PoolSpec] {
        var names: Set<String> = []
        return root.mappings(key, keys: Key.self).map { mapping in
            let name = mapping.string(.name)
            let isNew = names.insert(name).inserted
            mapping.check(.name, holds: isNew, "there are two pools called '\(name)'")
            return PoolSpec(name: name, source: source(mapping, data: data))
        }
    }

    private static func source(_ mapping: SpecMapping<Key>, data: URL) -> Source {
        let ways = [Key.source, .file, .data].filter(mapping.has)
        mapping.check(.name, holds: ways.count == 1, "a pool has one of 'source', 'file' and 'data'")
        switch ways.first {
        case .file: return .phrases(SharedFile(mapping.file(.file), read: PoolFile.phrases))
        case .data: return .phrases(SharedFile(mapping.file(.data, in: data), read: PoolFile.phrases))
        case nil: return .namesAndKeywords
        default:
            switch mapping.choice(.source, of: BuiltIn.self) {
            case .namesAndKeywords: return .namesAndKeywords
            case .captions: return .captions
            }
        }
    }
}

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
