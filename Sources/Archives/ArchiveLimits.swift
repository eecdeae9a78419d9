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
