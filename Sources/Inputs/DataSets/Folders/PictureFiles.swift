import Archives

/// The pictures of a folder or an archive, whatever they show, in the order of the bytes of their paths.
///
/// A picture is what is called one: files of formats that are not read here are in the list too, so that
/// whoever decodes them can say which they are; other files are left out.
public struct PictureFiles: Sendable {
    /// Path of the folder or archive.
    public let location: String
    /// Relative to ``location``.
    public let paths: [String]
    private let files: any FileCollection
    /// Index in ``paths`` by the number of the file.
    private let indices: [Int: Int]

    /// - Throws: `ArchiveError`.
    public init(at location: String) throws {
        try self.init(openFiles(at: location))
    }

    init(_ files: any FileCollection) {
        self.files = files
        location = files.location
        let pictures = files.files().filter { PictureFile.isPicture(files.path(of: $0)) }
        paths = pictures.map(files.path(of:))
        indices = Dictionary(uniqueKeysWithValues: pictures.enumerated().map { ($0.element, $0.offset) })
    }

    /// Reads the first pictures of the list in one pass, in the order in which they lie.
    /// - Parameters:
    ///   - count: how many.
    ///   - body: gets the index of a picture in ``paths`` and its bytes; ``DataSetError/tooLarge(path:place:bytes:limit:)``
    ///     where it has too many, of which none were read.
    /// - Throws: `ArchiveError`, and what `body` throws.
    public func forEach(
        first count: Int, _ body: (Int, Result<[UInt8], DataSetError>) throws -> Void
    ) throws {
        try files.forEach { file in
            guard let index = indices[file], index < count else { return false }
            let bytes = try files.size(of: file)
            guard bytes > FileLimit.picture else { return true }
            try body(
                index,
                .failure(.tooLarge(path: location, place: paths[index], bytes: bytes, limit: FileLimit.picture)))
            return false
        } _: { file, bytes in
            if let index = indices[file] { try body(index, .success(bytes)) }
        }
    }
}
