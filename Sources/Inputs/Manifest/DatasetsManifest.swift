import Foundation
import Foundations

/// `datasets.manifest`: the models and data sets by name, with where they come from and their digests.
public struct DatasetsManifest: Codable, Sendable {
    public var models: [String: ModelEntry]
    public var datasets: [String: DatasetEntry]
    /// What others publish, by name.
    public var downloads: [String: Download]?
    /// Where the manifest stands; paths in it start at its folder.
    public private(set) var url = URL(fileURLWithPath: "datasets.manifest")

    private enum CodingKeys: String, CodingKey {
        case models, datasets, downloads
    }

    public struct ModelEntry: Codable, Sendable {
        /// Folder in the Hugging Face layout.
        public var path: String
        public var origin: String
        public var licence: String
        public var bytes: Int
        /// SHA-256 of each file that decides a number, and of others that are worth it.
        public var files: [String: String]

        /// What the loader of a model folder reads.
        static let filesThatDecide = [
            "config.json", "merges.txt", "model.safetensors", "preprocessor_config.json", "vocab.json",
        ]
    }

    public struct DatasetEntry: Codable, Sendable {
        public var origin: String
        public var licence: String
        public var recipe: SceneRecipe
        public var seed: UInt64
        /// The files that scenes are made of: font, annotations, emoji-test.
        public var sources: Sources
        public var splits: [String: Split]

        public struct Sources: Codable, Sendable {
            public var font: Source
            public var annotations: Source
            public var emojiTest: Source
        }

        public struct Source: Codable, Sendable {
            public var path: String
            public var package: String
            public var sha256: String
        }

        public struct Split: Codable, Sendable {
            /// Counts that a split may have: a set of scenes is held in memory.
            static let counts = 1...1_000_000

            public var count: Int
            /// SHA-256 over pixels, labels and masks; see `SceneDigest`.
            public var sha256: String

            public init(count: Int, sha256: String) {
                self.count = count
                self.sha256 = sha256
            }
        }
    }

    /// - Throws: ``InputError`` when the file is missing or malformed or a value is out of range.
    public init(contentsOf url: URL) throws {
        let data = try InputError.contents(of: url, purpose: "the list of models and data sets")
        do {
            self = try JSONDecoder().decode(DatasetsManifest.self, from: data)
        } catch let error as DecodingError {
            throw InputError(error, in: data, path: url.path)
        }
        self.url = url
        try checkValues()
    }

    /// Refuses what would decode but could not be worked with.
    private func checkValues() throws {
        func refuse(_ place: String, _ expected: String) -> InputError {
            .malformedFile(path: url.path, place: place, expected: expected)
        }
        if let violation = violationOfDownloads() { throw refuse(violation.place, violation.expected) }
        for (name, model) in models.sorted(by: { $0.key < $1.key }) {
            // A file without a digest could change without a step noticing.
            for file in ModelEntry.filesThatDecide where model.files[file] == nil {
                throw refuse("models.\(name).files", "a digest of \(file)")
            }
        }
        for (name, dataset) in datasets.sorted(by: { $0.key < $1.key }) {
            if let violation = dataset.recipe.violation {
                throw refuse("datasets.\(name).recipe.\(violation.key)", violation.expectation)
            }
            for (split, stated) in dataset.splits.sorted(by: { $0.key < $1.key })
            where !DatasetEntry.Split.counts.contains(stated.count) {
                let counts = DatasetEntry.Split.counts
                throw refuse(
                    "datasets.\(name).splits.\(split).count",
                    "a number from \(counts.lowerBound) to \(counts.upperBound), not \(stated.count)")
            }
        }
    }

    /// - Throws: ``InputError/unknownDataset(name:manifest:known:)``.
    public func model(_ name: String) throws -> (entry: ModelEntry, folder: URL) {
        guard let entry = models[name] else {
            throw InputError.unknownDataset(name: name, manifest: url.path, known: models.keys.sorted())
        }
        return (entry, url.deletingLastPathComponent().appendingPathComponent(entry.path))
    }

    /// - Throws: ``InputError/unknownDataset(name:manifest:known:)``.
    public func dataset(_ name: String) throws -> DatasetEntry {
        guard let entry = datasets[name] else {
            throw InputError.unknownDataset(name: name, manifest: url.path, known: datasets.keys.sorted())
        }
        return entry
    }
}

extension DatasetsManifest.ModelEntry {
    /// Compares the files of a model folder with their digests.
    /// - Returns: the digests found, by file name; the identity of the model.
    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/digestMismatch(dataset:what:expected:found:)``.
    public func verify(_ folder: URL, name: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for (file, expected) in files.sorted(by: { $0.key < $1.key }) {
            let url = folder.appendingPathComponent(file)
            let digest = try Digest.sha256(ofFile: url, purpose: "a file of the model \(name)")
            guard digest == expected else {
                throw InputError.digestMismatch(dataset: name, what: url.path, expected: expected, found: digest)
            }
            found[file] = digest
        }
        return found
    }
}

extension DatasetsManifest.DatasetEntry {
    /// The source files, compared with their digests now and whenever they are read.
    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/digestMismatch(dataset:what:expected:found:)``.
    public func verifiedSources(name: String) throws -> EmojiSources {
        var result = EmojiSources()
        result.font = URL(fileURLWithPath: sources.font.path)
        result.annotations = URL(fileURLWithPath: sources.annotations.path)
        result.emojiTest = URL(fileURLWithPath: sources.emojiTest.path)
        let stated = [
            (result.font, sources.font), (result.annotations, sources.annotations),
            (result.emojiTest, sources.emojiTest),
        ]
        result.stated = EmojiSources.Stated(
            dataset: name, digests: Dictionary(stated.map { ($0, $1.sha256) }, uniquingKeysWith: { first, _ in first }))
        for (file, source) in stated {
            _ = try result.contents(of: file, purpose: "part of Debian's package \(source.package)")
        }
        return result
    }
}

extension DatasetsManifest {
    /// The manifest as text, keys sorted.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
