import Foundation

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
    /// The results folder.
    public let results: URL
    /// Nil: every plan looks at every byte.
    private let verified: VerifiedFiles?

    var cache: URL { results.appendingPathComponent("cache", isDirectory: true) }

    /// A store to read from; nothing is created. Writing takes a `ResultsFolder`.
    public init(results: URL) { self.init(results: results, verified: nil) }

    init(results: URL, verified: VerifiedFiles?) {
        self.results = results
        self.verified = verified
    }

    func folder(_ node: StepNode) -> URL {
        cache.appendingPathComponent(node.kind, isDirectory: true)
            .appendingPathComponent(node.key.digest, isDirectory: true)
    }

    private func manifestURL(_ node: StepNode) -> URL {
        folder(node).appendingPathComponent(StepManifest.fileName)
    }

    // MARK: Artefacts

    /// The manifest of a step's artefact, nil where there is none.
    /// - Throws: `PipelineError.damaged`.
    func manifest(_ node: StepNode) throws -> StepManifest? {
        let url = manifestURL(node)
        guard let manifest = try readManifest(StepManifest.self, at: url) else { return nil }
        guard manifest.key == node.key else {
            throw PipelineError.damaged(path: url.path, damage: .foreignManifest)
        }
        return manifest
    }

    /// Checks the artefact's bytes against its manifest.
    /// - Throws: `PipelineError.damaged`.
    func verify(_ manifest: StepManifest, of node: StepNode) throws {
        try verify(folder(node).appendingPathComponent(manifest.file), sha256: manifest.sha256)
    }

    /// The artefact of a step.
    /// - Throws: `PipelineError.notComputed`, `.damaged`.
    func artefact(_ node: StepNode) throws -> StoredArtefact {
        guard let manifest = try manifest(node) else {
            throw PipelineError.notComputed(step: node.name, key: node.key)
        }
        let stored = try read(
            folder(node).appendingPathComponent(manifest.file), sha256: manifest.sha256)
        return node.work.keepsShards ? .shards(try shards(of: node, index: stored)) : stored
    }

    /// Stores the artefact of a step.
    /// - Throws: `PipelineError.saveFailed`.
    func commit(_ artefact: StoredArtefact, of node: StepNode, seconds: Double, estimate: Double?) throws {
        let file = try ArtefactFile(artefact)
        let url = folder(node).appendingPathComponent("artefact.\(file.fileExtension)")
        try DurableFile.createFolder(folder(node))
        try DurableFile.write(file.bytes, to: url)
        let manifest = StepManifest(
            node, file: url.lastPathComponent, sha256: Digest.sha256(of: file.bytes),
            seconds: seconds, estimate: estimate, attempt: ProcessIdentity.current.attempt)
        try DurableFile.write(ArtefactJSON.encode(manifest), to: manifestURL(node))
    }

    /// Removes the artefact of a step, the manifest first.
    /// - Throws: `PipelineError.saveFailed`.
    func discardArtefact(_ node: StepNode) throws {
        try DurableFile.remove(manifestURL(node))
        for name in ["artefact.safetensors", "artefact.json"] {
            try DurableFile.remove(folder(node).appendingPathComponent(name))
        }
    }

    /// The manifests of finished steps of one kind, in the order of their keys.
    func manifests(ofKind kind: String) -> [StepManifest] {
        let folder = cache.appendingPathComponent(kind, isDirectory: true)
        let keys = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return keys.sorted().compactMap { key in
            let url = folder.appendingPathComponent(key).appendingPathComponent(
                StepManifest.fileName)
            return try? readManifest(StepManifest.self, at: url)
        }
    }

    // MARK: Files

    func readManifest<Manifest: Decodable>(_ type: Manifest.Type, at url: URL) throws -> Manifest? {
        do {
            return try ArtefactJSON.decode(type, from: readFile(at: url, limit: 16 << 20))
        } catch PipelineError.cannotRead(_, errno: ENOENT) {
            return nil
        } catch is DecodingError {
            throw PipelineError.damaged(path: url.path, damage: .unreadableManifest)
        }
    }

    func verify(_ url: URL, sha256 expected: String) throws {
        if verified?.contains(url, sha256: expected) == true { return }
        do {
            let actual = try Digest.sha256(ofFile: url)
            guard actual == expected else {
                throw PipelineError.damaged(
                    path: url.path, damage: .digestMismatch(expected: expected, actual: actual))
            }
            verified?.insert(url, sha256: expected)
        } catch PipelineError.cannotRead(_, errno: ENOENT) {
            throw PipelineError.damaged(path: url.path, damage: .missing)
        }
    }

    func read(_ url: URL, sha256: String) throws -> StoredArtefact {
        do {
            return try ArtefactFile.read(url, sha256: sha256)
        } catch PipelineError.cannotRead(_, errno: ENOENT) {
            throw PipelineError.damaged(path: url.path, damage: .missing)
        }
    }
}
