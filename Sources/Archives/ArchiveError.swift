import Foundations

/// Why files cannot be read from an archive or a folder, as facts.
public enum ArchiveError: Error, Equatable, Sendable {
    /// The file or folder cannot be opened or read.
    case cannotRead(path: String, FileFault)
    /// There is no file under this path in the archive or folder.
    case noSuchFile(location: String, path: String)
    /// The whole archive is refused.
    ///
    /// - Parameters:
    ///   - entry: its path, where it is known; bytes that are not UTF-8 are replaced.
    ///   - offset: where in the archive the record stands that is to blame; in a compressed tar
    ///     where in the decompressed stream.
    case refused(location: String, entry: String?, offset: Int, defect: ArchiveDefect)
    /// The whole folder is refused for what lies in it, at a path relative to it.
    case refusedInFolder(location: String, entry: String, defect: ArchiveDefect)
    /// An index belongs to another archive, or the archive has changed since it was built.
    case staleIndex(location: String, reason: StaleIndexReason)
    /// The bytes of a stored index are not those that were written.
    case malformedIndex(offset: Int)
    /// A stored index has a version that this program does not read.
    case unknownIndexVersion(Int)
}

/// How an archive differs from the one that an index was built from.
public enum StaleIndexReason: Equatable, Sendable {
    case size(indexed: Int, found: Int)
    /// The bytes in front of sampled entries are others than they were.
    case movedHeaders
}

/// What an archive may not hold.
public enum ArchiveDefect: Equatable, Sendable {
    // Structure
    case unknownFormat
    /// The archive ends within a record, or without its end mark.
    case truncated
    case badHeaderChecksum
    /// A number of a record cannot be read, or is out of range.
    case badNumber(field: String)
    /// A record that the format has, but not with these contents.
    case badRecord(String)
    /// The data of an entry reach beyond the archive, or beyond the part of it that holds data.
    case beyondEnd(bytes: Int, available: Int)
    /// Two entries share bytes.
    case overlap
    /// The directory of a zip file and the header in front of the data disagree.
    case headersDisagree

    // Names
    case emptyName
    case nameTooLong(bytes: Int)
    case nameNotUTF8
    case absolutePath
    /// `..` is a part of the path.
    case leavesFolder
    /// Empty or `.` parts, or a zero byte: the same file would have several names.
    case unusualPath
    case duplicateName

    // Kinds
    case symbolicLink
    case hardLink
    /// A device, a pipe or a socket.
    case device
    case sparseFile
    case encrypted
    case unsupportedKind(UInt8)
    case unsupportedMethod(Int)

    // Sizes
    case tooLarge(bytes: Int, limit: Int)
    /// The data would grow beyond the ratio that the limits allow.
    case compressionRatio(bytes: Int, stored: Int)
    case tooManyEntries(limit: Int)

    // Contents
    case checksumMismatch
    /// The decompressor's own words.
    case undecodable(String)
}
