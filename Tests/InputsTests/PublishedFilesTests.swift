import Foundation
import Foundations
import Inputs
import TestSupport
import Testing

/// Entries of the manifest for what others publish, and the checking of files.
@Suite struct PublishedFilesTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let digest = Digest.sha256(of: Data("content".utf8))

    func manifest(_ change: (inout String) -> Void = { _ in }) throws -> DatasetsManifest {
        var text = """
            {"models": {}, "datasets": {}, "downloads": {"thing": {
              "kind": "dataset", "origin": "here", "licence": "none", "folder": "things",
              "files": [
                {"name": "a.tar", "address": "https://example.org/a.tar", "bytes": 7, "sha256": "\(Self.digest)"},
                {"name": "b.mat", "address": "http://example.org/b.mat"}]}}}
            """
        change(&text)
        return try DatasetsManifest(contentsOf: folder.file("datasets.manifest", text))
    }

    @Test func foldersAreSettable() throws {
        let manifest = try manifest()
        #expect(try manifest.folder(ofDownload: "thing").path == folder.url.appendingPathComponent("data/things").path)
        let own = folder.url.appendingPathComponent("own")
        #expect(try manifest.publishedFiles("thing", data: own).files.allSatisfy { $0.folder == own })
        #expect(
            inputError { try manifest.publishedFiles("thin") }
                == .unknownDataset(name: "thin", manifest: manifest.url.path, known: ["thing"]))
    }

    @Test func checkTellsWhatIsThere() throws {
        let published = try manifest().publishedFiles("thing", data: folder.url)
        #expect(try published.check().map(\.status) == [.missing, .missing])
        _ = try folder.file("a.tar", "content")
        _ = try folder.file("b.mat", "anything")
        #expect(try published.check().map(\.status) == [.matches, .unverified])
        _ = try folder.file("a.tar", "contens")
        #expect(
            try published.check()[0].status
                == .wrongDigest(
                    algorithm: .sha256, expected: Self.digest, found: Digest.sha256(of: Data("contens".utf8)),
                    isRecorded: false))
        _ = try folder.file("a.tar", "con")
        #expect(try published.check()[0].status == .wrongSize(expected: 7, found: 3))
        _ = try folder.file("b.mat.sha256", "\(Digest.sha256(of: Data("anything".utf8)))  b.mat\n")
        #expect(try published.check()[1].status == .matchesRecord)
        _ = try folder.file("b.mat.sha256", "nonsense")
        #expect(
            inputError { try published.check() }
                == .malformedFile(
                    path: folder.url.appendingPathComponent("b.mat.sha256").path, place: "line 1",
                    expected: "64 hexadecimal digits"))
    }

    @Test func foldersAndPipesAreNoFiles() throws {
        let published = try manifest().publishedFiles("thing", data: folder.url)
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("a.tar"), withIntermediateDirectories: false)
        #expect(mkfifo(folder.url.appendingPathComponent("b.mat").path, 0o600) == 0)
        let reasons = try published.check().map(\.status)
        #expect(
            reasons == [
                .unreadable(reason: FileFault.isAFolder.text), .unreadable(reason: FileFault.notARegularFile.text),
            ])
    }

    @Test(arguments: [
        ("\"a.tar\"", "\"../a.tar\"", "files[0].name"), ("\"a.tar\"", "\"/a.tar\"", "files[0].name"),
        ("\"a.tar\"", "\".a\"", "files[0].name"), ("\"a.tar\"", "\"\"", "files[0].name"),
        ("\"a.tar\"", "\"a\\u0000b\"", "files[0].name"),
        ("\"b.mat\"", "\"a.tar\"", "files"), ("\"things\"", "\"..\"", "folder"), ("\"things\"", "\"a/b\"", "folder"),
        ("https://example.org/a.tar", "ftp://example.org/a.tar", "files[0].address"),
        ("https://example.org/a.tar", "a.tar", "files[0].address"),
        ("https://example.org/a.tar", "https://example.org/ a", "files[0].address"),
        ("https://example.org/a.tar", "https://", "files[0].address"),
        ("\"bytes\": 7", "\"bytes\": -7", "files[0].bytes"), ("\"sha256\": \"", "\"sha256\": \"0", "files[0].sha256"),
        ("\"sha256\": \"", "\"md5\": \"", "files[0].md5"),
        (", \"address\": \"http://example.org/b.mat\"", "", "files[1].address"),
    ])
    func faultIsRefusedAtItsPlace(old: String, new: String, place: String) throws {
        let error = inputError {
            try manifest {
                #expect($0.contains(old))
                $0 = $0.replacingOccurrences(of: old, with: new)
            }
        }
        guard case .malformedFile(_, "downloads.thing.\(place)", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    // MARK: The manifest of the clone

    static let own = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../datasets.manifest"
    ).standardizedFileURL

    @Test func manifestOfTheCloneIsSound() throws {
        let manifest = try DatasetsManifest(contentsOf: Self.own)
        let downloads = try #require(manifest.downloads)
        #expect(downloads.count >= 20)
        for (name, entry) in downloads where name.hasPrefix("openai-") {
            for file in entry.files {
                let digest = try #require(file.sha256)
                #expect(file.address?.contains("/\(digest)/") == true, "\(name): OpenAI's addresses hold the digest")
            }
        }
        for name in ["imagenet-train", "imagenet-val"] {
            #expect(
                downloads[name]?.instructions != nil
                    && downloads[name]?.files.allSatisfy { $0.md5 != nil && $0.address == nil } == true)
        }
    }

    @Test func vocabularyOfTheCloneIsTheRightOne() throws {
        let published = try DatasetsManifest(contentsOf: Self.own).publishedFiles("clip-bpe")
        #expect(try published.check().map(\.status) == [.matches])
    }
}
