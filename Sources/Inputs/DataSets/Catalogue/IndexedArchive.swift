import Archives
import Foundation
import Foundations

/// Archives whose list of entries is read once and kept: going over the headers of ImageNet's training
/// archive takes minutes, reading its index takes a second.
public enum IndexedArchive {
    /// A folder for indices, and what writes a file there: whoever owns the folder decides when.
    public struct Shelf: Sendable {
        let folder: URL
        let write: @Sendable (Data, _ name: String) -> Void

        public init(folder: URL, write: @escaping @Sendable (Data, _ name: String) -> Void) {
            (self.folder, self.write) = (folder, write)
        }
    }

    /// Opens a folder, or an archive by its kept index where that still fits.
    /// - Throws: `ArchiveError`.
    static func open(_ url: URL, indices: Shelf?) throws -> any FileCollection {
        var facts = stat()
        let isFolder = stat(url.path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
        guard let indices, !isFolder else { return try openFiles(at: url.path) }
        let name = Digest.sha256(of: Data(url.standardizedFileURL.path.utf8)) + ".index"
        // An index of another archive, of another version or with a damaged byte is made again.
        if let bytes = try? RegularFile.contents(of: indices.folder.appendingPathComponent(name).path, limit: 1 << 32),
            let index = try? ArchiveIndex(serialized: [UInt8](bytes)),
            let archive = try? Archive(path: url.path, index: index)
        {
            return archive
        }
        let archive = try Archive(path: url.path)
        indices.write(Data(archive.index.serialized()), name)
        return archive
    }
}
