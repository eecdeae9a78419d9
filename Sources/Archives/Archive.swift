import Foundations
import Synchronization

/// A tar, a compressed tar or a zip file, read where it lies.
///
/// Nothing is read before the whole archive has been found acceptable: every name, kind, place and size. Nothing is ever
/// written to disk, but for a compressed tar whose files are asked for one by one: it is decompressed once into a temporary
/// file without a name. Tars inside a plain tar count as folders.
public final class Archive: FileCollection {
    public let index: ArchiveIndex
    let file: RandomAccessFile
    let limits: ArchiveLimits
    /// What a compressed tar decompresses to, or why it did not; nil before its first file has been asked for.
    let decompressed = Mutex<Result<(tar: PendingFile, bytes: Int), any Error>?>(nil)

    public var location: String { file.path }
    public var count: Int { index.count }

    /// Opens an archive and reads all of its headers; a compressed tar is decompressed once for that.
    /// - Throws: `ArchiveError`.
    public init(path: String, limits: ArchiveLimits = .standard) throws {
        file = try RandomAccessFile(path: path)
        self.limits = limits
        index = try ArchiveIndex(of: file, limits: limits)
    }

    /// Opens an archive whose index has been kept.
    /// - Throws: `ArchiveError.staleIndex` where the archive is not the one that the index was built from.
    public init(path: String, index: ArchiveIndex, limits: ArchiveLimits = .standard) throws {
        file = try RandomAccessFile(path: path)
        self.limits = limits
        self.index = index
        guard file.size == index.archiveBytes else {
            throw ArchiveError.staleIndex(
                location: path, reason: .size(indexed: index.archiveBytes, found: file.size))
        }
        guard try Fingerprint.of(file, format: index.format, rows: index.rows) == index.fingerprint else {
            throw ArchiveError.staleIndex(location: path, reason: .movedHeaders)
        }
    }

    public func path(of file: Int) -> String { index.path(of: file) }
    public func file(at path: String) -> Int? { index.firstIndex(of: path) }

    public func files(under folder: String) -> [Int] {
        index.indices(withPrefix: folder.isEmpty ? "" : folder + "/")
    }

    public func size(of file: Int) -> Int { index.rows[file].size }
}

/// What an archive may ask of its reader.
public struct ArchiveLimits: Equatable, Sendable {
    /// Bytes of one entry.
    public var entryBytes: Int
    /// Bytes that come out of a decompressor for each that goes in.
    public var compressionRatio: Int
    /// Entries, or compressed tars, that decompress to no more than this are not held to the ratio.
    public var bytesWithoutRatio: Int
    public var entryCount: Int

    /// Leaves room for ImageNet's 1.3 million files and for checkpoints of several gigabytes.
    public static let standard = ArchiveLimits()

    public init(
        entryBytes: Int = 16 << 30, compressionRatio: Int = 200, bytesWithoutRatio: Int = 16 << 20,
        entryCount: Int = 4_000_000
    ) {
        self.entryBytes = entryBytes
        self.compressionRatio = compressionRatio
        self.bytesWithoutRatio = bytesWithoutRatio
        self.entryCount = entryCount
    }

    /// Whether `stored` bytes may decompress to `bytes`.
    func allow(_ bytes: Int, from stored: Int) -> Bool {
        bytes <= bytesWithoutRatio || bytes / compressionRatio <= stored
    }

    static let nameBytes = 4096
}
