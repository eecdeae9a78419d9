import Foundation
import Foundations
import Safetensors
import Synchronization

/// The artefacts of a results folder.
///
///     cache/<kind>/<key>/artefact.safetensors   or .json
///                        manifest.json          commits the artefact
///                        shards/000012.safetensors
///                               000012.manifest.json   commits the shard
///
/// A file counts only if a manifest names it with the digest of its bytes. Data is synced and
/// renamed into place before its manifest is, so a manifest never promises what a loss of power
/// can take; what stands without a manifest is left over from an interrupted attempt and ignored.
public struct ArtefactStore: Sendable {
    let results: OutputFolder
    /// Nil: every plan looks at every byte.
    private let verified: VerifiedFiles?

    var cache: OutputFolder { results.folder("cache") }

    /// A store to read from; nothing is created. Writing takes a `ResultsFolder`.
    public init(results: URL) { self.init(results: OutputFolder(results), verified: nil) }

    init(results: OutputFolder, verified: VerifiedFiles?) {
        self.results = results
        self.verified = verified
    }

    func folder(_ node: StepNode) -> OutputFolder { cache.folder("\(node.kind)/\(node.key.digest)") }

    // MARK: Artefacts

    /// The manifest of a step's artefact, nil where there is none.
    /// - Throws: `PipelineError.damaged`.
    func manifest(_ node: StepNode) throws -> StepManifest? {
        let url = folder(node).file(StepManifest.fileName)
        guard let manifest = try readManifest(StepManifest.self, at: url) else { return nil }
        guard manifest.key == node.key else {
            throw PipelineError.damaged(path: url.path, damage: .foreignManifest)
        }
        return manifest
    }

    /// Checks the artefact's bytes against its manifest.
    /// - Throws: `PipelineError.damaged`.
    func verify(_ manifest: StepManifest, of node: StepNode) throws {
        try verify(folder(node).file(manifest.file), sha256: manifest.sha256)
    }

    /// The artefact of a step.
    /// - Throws: `PipelineError.notComputed`, `.damaged`.
    func artefact(_ node: StepNode) throws -> StoredArtefact {
        guard let manifest = try manifest(node) else {
            throw PipelineError.notComputed(step: node.name, key: node.key)
        }
        let stored = try read(
            folder(node).file(manifest.file), sha256: manifest.sha256)
        return node.work.keepsShards ? .shards(try shards(of: node, index: stored)) : stored
    }

    /// Stores the artefact of a step.
    /// - Throws: `OutputError`.
    func commit(_ artefact: StoredArtefact, of node: StepNode, seconds: Double, estimate: Double?) throws {
        let file = try ArtefactFile(artefact)
        let name = "artefact.\(file.fileExtension)"
        try folder(node).write(file.bytes, as: name)
        let manifest = StepManifest(
            node, file: name, sha256: Digest.sha256(of: file.bytes),
            seconds: seconds, estimate: estimate, attempt: ProcessIdentity.current.attempt)
        try folder(node).write(ArtefactJSON.encode(manifest), as: StepManifest.fileName)
    }

    /// Removes the artefact of a step, the manifest first.
    /// - Throws: `OutputError`.
    func discardArtefact(_ node: StepNode) throws {
        for name in [StepManifest.fileName, "artefact.safetensors", "artefact.json"] { try folder(node).remove(name) }
    }

    /// The manifests of finished steps of one kind, in the order of their keys.
    func manifests(ofKind kind: String) -> [StepManifest] {
        let folder = cache.folder(kind)
        let keys = (try? FileManager.default.contentsOfDirectory(atPath: folder.url.path)) ?? []
        return keys.sorted().compactMap {
            try? readManifest(StepManifest.self, at: folder.folder($0).file(StepManifest.fileName))
        }
    }

    // MARK: Files

    func readManifest<Manifest: Decodable>(_ type: Manifest.Type, at url: URL) throws -> Manifest? {
        do {
            return try ArtefactJSON.decode(type, from: readingFile(at: url) { try $0.contents(limit: 16 << 20) })
        } catch PipelineError.cannotRead(_, .missing) {
            return nil
        } catch is DecodingError {
            throw PipelineError.damaged(path: url.path, damage: .unreadableManifest)
        }
    }

    func verify(_ url: URL, sha256 expected: String) throws {
        if verified?.contains(url, sha256: expected) == true { return }
        do {
            let actual = try readingFile(at: url, Digest.sha256)
            guard actual == expected else {
                throw PipelineError.damaged(
                    path: url.path, damage: .digestMismatch(expected: expected, actual: actual))
            }
            verified?.insert(url, sha256: expected)
        } catch PipelineError.cannotRead(_, .missing) {
            throw PipelineError.damaged(path: url.path, damage: .missing)
        }
    }

    func read(_ url: URL, sha256: String) throws -> StoredArtefact {
        do {
            return try ArtefactFile.read(url, sha256: sha256)
        } catch PipelineError.cannotRead(_, .missing) {
            throw PipelineError.damaged(path: url.path, damage: .missing)
        }
    }
}

/// Files whose digests this process has checked while it held the folder: the plans of several experiments
/// share steps, and nobody else may write meanwhile. Only plans rely on it; whatever is read is checked again.
final class VerifiedFiles: Sendable {
    private let digests = Mutex<[String: String]>([:])

    /// Whether the file was found to have the digest, and is still there.
    func contains(_ url: URL, sha256: String) -> Bool {
        digests.withLock { $0[url.path] == sha256 } && access(url.path, R_OK) == 0
    }

    func insert(_ url: URL, sha256: String) {
        digests.withLock { $0[url.path] = sha256 }
    }
}

/// The bytes of a stored artefact, and the file name extension that tells their form.
struct ArtefactFile {
    var bytes: Data
    var fileExtension: String

    private static let tensors = "safetensors"
    private static let json = "json"

    /// - Throws: `PipelineError.wrongArtefactForm` for shards, which are files already.
    init(_ artefact: StoredArtefact) throws {
        switch artefact {
        case .shards: throw PipelineError.wrongArtefactForm(wanted: "tensors or json")
        case .tensors(let tensors, let metadata):
            bytes = try SafetensorsWriter(tensors: tensors, metadata: metadata).data()
            fileExtension = Self.tensors
        case .json(let data):
            bytes = data
            fileExtension = Self.json
        }
    }

    /// Reads a file and checks its digest, then its form. Tensors stay in the mapped file.
    /// - Throws: `PipelineError.damaged`, `.cannotRead`, `SafetensorsError`.
    static func read(_ url: URL, sha256: String) throws -> StoredArtefact {
        let bytes = try readingFile(at: url) { try url.pathExtension == tensors ? $0.map() : $0.contents(limit: .max) }
        let actual = Digest.sha256(of: bytes)
        guard actual == sha256 else {
            throw PipelineError.damaged(
                path: url.path, damage: .digestMismatch(expected: sha256, actual: actual))
        }
        guard url.pathExtension == tensors else { return .json(bytes) }
        let file = try SafetensorsFile(bytes: bytes, path: url.path)
        return .tensors(
            try file.tensors.mapValues { try file.tensor($0.name) }, metadata: file.metadata)
    }
}
