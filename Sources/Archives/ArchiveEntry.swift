/// A file in an archive.
public struct ArchiveEntry: Equatable, Sendable {
    /// As the archive has it, but for a leading `./`. A file of a tar inside a tar has the inner tar's
    /// path in front, as if that were a folder.
    public let path: String
    /// Bytes of the file.
    public let size: Int
    public let storage: Storage
    /// What a zip file says the CRC-32 of the file's bytes is.
    public let crc32: UInt32?

    public enum Storage: Equatable, Sendable {
        /// The bytes stand in the archive from `offset` on.
        case plain(offset: Int)
        /// `bytes` bytes of a deflate stream stand in the archive from `offset` on.
        case deflated(offset: Int, bytes: Int)
        /// The bytes stand in the decompressed stream from `offset` on.
        case streamed(offset: Int)
    }
}
