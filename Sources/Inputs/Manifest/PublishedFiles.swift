import Foundation

/// The files of one entry of the manifest, of whichever kind, and where they lie.
public struct PublishedFiles: Sendable {
    /// How one comes by the files.
    public enum Provision: Sendable, Equatable {
        case download
        /// They are to be asked for.
        case request(instructions: String)
        /// They come with the clone, in this folder.
        case clone(path: String)
        /// They are part of Debian's packages.
        case packages([String])
    }

    public let name: String
    public let origin: String
    public let licence: String
    public let provision: Provision
    public let note: String?
    public let files: [(file: DatasetsManifest.File, folder: URL)]

    /// Compares every file with what is published of it.
    /// - Parameter step: told the name and how many bytes of a file have been read; false ends the reading.
    /// - Throws: as ``FileCheck``.
    public func check(step: (DatasetsManifest.File, Int) -> Bool = { _, _ in true }) throws -> [FileCheck] {
        try files.map { entry in try FileCheck(entry.file, in: entry.folder) { step(entry.file, $0) } }
    }
}

extension DatasetsManifest {
    /// The files of a model, a data set or a download.
    ///
    /// - Parameter data: the folder of a download's files, or of a model's, if they do not lie where the manifest says.
    /// - Throws: ``InputError/unknownDataset(name:manifest:known:)``.
    public func publishedFiles(_ name: String, data: URL? = nil) throws -> PublishedFiles {
        if let entry = downloads?[name] {
            let folder = try folder(ofDownload: name, data: data)
            return PublishedFiles(
                name: name, origin: entry.origin, licence: entry.licence,
                provision: entry.instructions.map(PublishedFiles.Provision.request)
                    ?? entry.path.map(PublishedFiles.Provision.clone) ?? .download,
                note: entry.note,
                files: entry.files.map { ($0, folder) })
        }
        if let entry = models[name] {
            let folder = try data ?? model(name).folder
            return PublishedFiles(
                name: name, origin: entry.origin, licence: entry.licence, provision: .clone(path: entry.path),
                note: nil,
                files: entry.files.sorted { $0.key < $1.key }.map { (File(name: $0.key, sha256: $0.value), folder) })
        }
        if let entry = datasets[name] {
            let sources = [entry.sources.font, entry.sources.annotations, entry.sources.emojiTest]
            return PublishedFiles(
                name: name, origin: entry.origin, licence: entry.licence,
                provision: .packages(sources.map(\.package)), note: nil,
                files: sources.map {
                    let url = URL(fileURLWithPath: $0.path)
                    return (File(name: url.lastPathComponent, sha256: $0.sha256), url.deletingLastPathComponent())
                })
        }
        let known = Set(models.keys).union(datasets.keys).union((downloads ?? [:]).keys)
        throw InputError.unknownDataset(name: name, manifest: url.path, known: known.sorted())
    }
}
