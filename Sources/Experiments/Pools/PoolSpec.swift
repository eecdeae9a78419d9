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
        case phrases([String])
    }

    var name: String
    var source: Source

    /// What rows call the random vectors that stand beside it.
    var randomName: String { "\(name)-random" }

    /// By the name that papers' files use: phrases of a file by their digest.
    var setting: String {
        switch source {
        case .namesAndKeywords: "names and keywords"
        case .captions: "captions"
        case .phrases(let phrases):
            "\(phrases.count) phrases, \(Digest.sha256(of: Data(phrases.joined(separator: "\n").utf8)).prefix(12))"
        }
    }

    /// Phrases of the pool; of captions, which are known when the images are made, as many as there are images.
    /// - Throws: `InputError`.
    func phraseCount(in study: Study) throws -> Int {
        switch source {
        case .namesAndKeywords: try study.classes.namesAndKeywords().count
        case .captions: study.fit.count
        case .phrases(let phrases): phrases.count
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
    /// - Throws: as ``list(_:_:data:)``.
    static func one<Root>(_ root: SpecMapping<Root>, _ key: Root, data: URL) throws -> PoolSpec {
        let pools = try list(root, key, data: data)
        guard let pool = pools.first, pools.count == 1 else {
            throw root.invalid(key, "this experiment takes one pool, here are \(pools.count)")
        }
        return pool
    }

    /// Reads `pools:`.
    /// - Parameter data: the folder of data.
    /// - Throws: `SpecError`, ``ExperimentError`` for what is wrong in a file.
    static func list<Root>(_ root: SpecMapping<Root>, _ key: Root, data: URL) throws -> [PoolSpec] {
        var names: Set<String> = []
        return try root.mappings(key, keys: Key.self).map { mapping in
            let name = try mapping.string(.name)
            guard names.insert(name).inserted else {
                throw mapping.invalid(.name, "there are two pools called '\(name)'")
            }
            let ways = [Key.source, .file, .data].filter(mapping.has)
            guard let way = ways.first, ways.count == 1 else {
                throw mapping.invalid(.name, "a pool has one of 'source', 'file' and 'data'")
            }
            if way != .source {
                let url = try way == .file ? mapping.file(.file) : mapping.file(.data, in: data)
                return PoolSpec(name: name, source: .phrases(try PoolFile.phrases(contentsOf: url)))
            }
            return switch try mapping.choice(.source, of: BuiltIn.self) {
            case .namesAndKeywords: PoolSpec(name: name, source: .namesAndKeywords)
            case .captions: PoolSpec(name: name, source: .captions)
            }
        }
    }
}
