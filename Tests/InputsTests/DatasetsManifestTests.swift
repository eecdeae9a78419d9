import Foundation
import Foundations
import Inputs
import TestSupport
import Testing

/// The manifest is read completely or refused at a place; what it names is compared with its digests.
@Suite struct DatasetsManifestTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let files = ["config.json", "merges.txt", "model.safetensors", "preprocessor_config.json", "vocab.json"]

    /// A manifest of one model (folder `model`, every file holding the same text) and one data set.
    func manifest(_ change: (inout String) -> Void = { _ in }) throws -> URL {
        let digest = Digest.sha256(of: Data("weights".utf8))
        let files = Self.files.map { "\"\($0)\": \"\(digest)\"" }.joined(separator: ", ")
        var text = """
            {"models": {"small": {
               "path": "model", "origin": "here", "licence": "none", "bytes": 7, "files": {\(files)}}},
             "datasets": {"world": {
               "origin": "here", "licence": "none", "recipe": {"imageSize": 32}, "seed": 5,
               "sources": {
                 "font": {"path": "\(folder.url.path)/font", "package": "some-font", "sha256": "\(digest)"},
                 "annotations": {"path": "\(folder.url.path)/font", "package": "some-names", "sha256": "\(digest)"},
                 "emojiTest": {"path": "\(folder.url.path)/font", "package": "some-groups", "sha256": "\(digest)"}},
               "splits": {"val": {"count": 10, "sha256": "\(digest)"}}}}}
            """
        change(&text)
        return try folder.file("datasets.manifest", text)
    }

    @Test func isReadAndWritten() throws {
        let manifest = try DatasetsManifest(contentsOf: manifest())
        let dataset = try manifest.dataset("world")
        #expect(
            dataset.seed == 5 && dataset.recipe.imageSize == 32 && dataset.recipe.mainScale == SceneRecipe().mainScale)
        #expect(try manifest.model("small").folder.path == folder.url.appendingPathComponent("model").path)
        let again = try DatasetsManifest(contentsOf: folder.file("again", manifest.encoded()))
        #expect(try again.encoded() == manifest.encoded())
    }

    @Test func missingManifestIsNamed() {
        let url = folder.url.appendingPathComponent("absent")
        #expect(
            inputError { try DatasetsManifest(contentsOf: url) }
                == .missingFile(path: url.path, purpose: "the list of models and data sets"))
    }

    /// JSONDecoder gives no place for a number that its type cannot hold, but names the number.
    @Test(arguments: [
        ("{\"models\"", "{models", "line 1"),
        ("\"models\":", "\"modles\":", "top level"),
        ("\"seed\": 5", "\"seed\": -5", "top level"),
        ("\"seed\": 5", "\"seed\": \"five\"", "datasets.world.seed"),
        ("\"imageSize\": 32", "\"imageSize\": 0", "datasets.world.recipe.imageSize"),
        ("\"imageSize\": 32", "\"mainScale\": [0.9, 0.1]", "datasets.world.recipe.mainScale"),
        ("\"imageSize\": 32", "\"image-size\": 32", "datasets.world.recipe.image-size"),
        ("\"count\": 10", "\"count\": 0", "datasets.world.splits.val.count"),
        ("\"count\": 10", "\"count\": -1", "datasets.world.splits.val.count"),
        ("\"count\": 10", "\"count\": 9223372036854775807", "datasets.world.splits.val.count"),
        ("\"count\": 10", "\"count\": 10.5", "top level"),
        ("\"bytes\": 7", "\"bytes\": null", "models.small.bytes"),
        ("\"files\": {", "\"files\": {}, \"more\": {", "models.small.files"),
        ("\"model.safetensors\":", "\"model.bin\":", "models.small.files"),
    ])
    func faultIsRefusedAtItsPlace(old: String, new: String, place: String) throws {
        let url = try manifest {
            #expect($0.contains(old))
            $0 = $0.replacingOccurrences(of: old, with: new)
        }
        let error = inputError { try DatasetsManifest(contentsOf: url) }
        guard case .malformedFile(url.path, let found, let expected)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found.hasPrefix(place), "\(found)")
        #expect(!expected.isEmpty)
    }

    @Test func syntaxErrorHasALine() throws {
        let url = try manifest { $0 = $0.replacingOccurrences(of: "\"seed\": 5", with: "\"seed\" 5") }
        guard case .malformedFile(url.path, "line 4", _)? = inputError({ try DatasetsManifest(contentsOf: url) }) else {
            Issue.record("not reported at its line")
            return
        }
    }

    @Test func everyCutIsRefused() throws {
        let whole = try Data(contentsOf: manifest())
        for length in stride(from: 0, to: whole.count, by: 7) {
            let url = try folder.file("cut", whole.prefix(length))
            guard case .malformedFile(url.path, _, _)? = inputError({ try DatasetsManifest(contentsOf: url) }) else {
                Issue.record("\(length) bytes")
                return
            }
        }
    }

    @Test func unknownNamesListTheKnownOnes() throws {
        let url = try manifest()
        let manifest = try DatasetsManifest(contentsOf: url)
        #expect(
            inputError { try manifest.model("large") }
                == .unknownDataset(name: "large", manifest: url.path, known: ["small"]))
        #expect(
            inputError { try manifest.dataset("planet") }
                == .unknownDataset(name: "planet", manifest: url.path, known: ["world"]))
    }

    // MARK: Digests

    func modelFolder(_ weights: String?) throws -> URL {
        let url = folder.url.appendingPathComponent("model", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for file in Self.files { try Data("weights".utf8).write(to: url.appendingPathComponent(file)) }
        let changed = url.appendingPathComponent("model.safetensors")
        if let weights {
            try Data(weights.utf8).write(to: changed)
        } else {
            try FileManager.default.removeItem(at: changed)
        }
        return url
    }

    @Test func modelIsComparedWithItsDigests() throws {
        let (entry, path) = try DatasetsManifest(contentsOf: manifest()).model("small")
        _ = try modelFolder("weights")
        #expect(try entry.verify(path, name: "small") == entry.files)
    }

    @Test(arguments: ["weighTs", "weight", "weights\n", ""]) func changedModelIsRefused(weights: String) throws {
        let (entry, _) = try DatasetsManifest(contentsOf: manifest()).model("small")
        let path = try modelFolder(weights)
        #expect(
            inputError { try entry.verify(path, name: "small") }
                == .digestMismatch(
                    dataset: "small", what: path.appendingPathComponent("model.safetensors").path,
                    expected: Digest.sha256(of: Data("weights".utf8)),
                    found: Digest.sha256(of: Data(weights.utf8))))
    }

    @Test func missingModelFileIsNamed() throws {
        let (entry, _) = try DatasetsManifest(contentsOf: manifest()).model("small")
        let path = try modelFolder(nil)
        #expect(
            inputError { try entry.verify(path, name: "small") }
                == .missingFile(
                    path: path.appendingPathComponent("model.safetensors").path, purpose: "a file of the model small"))
    }

    @Test func sourcesAreComparedWithTheirDigests() throws {
        let dataset = try DatasetsManifest(contentsOf: manifest()).dataset("world")
        guard case .missingFile(_, let purpose)? = inputError({ try dataset.verifiedSources(name: "world") }) else {
            Issue.record("not reported as missing")
            return
        }
        #expect(purpose.contains("some-font"))

        let font = try folder.file("font", "weights")
        #expect(try dataset.verifiedSources(name: "world").font.path == font.path)

        _ = try folder.file("font", "weightz")
        guard
            case .digestMismatch("world", font.path, _, _)? = inputError({ try dataset.verifiedSources(name: "world") })
        else {
            Issue.record("a changed source was accepted")
            return
        }
    }
}
