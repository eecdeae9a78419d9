import Foundation
import Foundations
import Safetensors

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
