import Archives

/// A data set's files by their paths below the folder in which the set begins, because one set is stored
/// as `VOCdevkit/VOC2012/…` here, as `VOC2012/…` there and with nothing before its first folder elsewhere.
struct FileTree: Sendable {
    let files: any FileCollection
    /// Ends in `/`, or is empty.
    let root: String

    /// The tree whose root holds `landmark`: a file such as `ImageSets/Segmentation/val.txt`, or a
    /// folder where it ends in `/`.
    /// - Throws: ``DataSetError/missingFile(path:file:purpose:)``; ``InputError/malformedFile(path:place:expected:)``
    ///   where more than one folder holds it.
    init(_ files: any FileCollection, landmark: String, purpose: String) throws {
        self.files = files
        var roots: Set<String> = []
        for file in 0..<files.count {
            let path = files.path(of: file)
            if let end = Self.rootLength(landmark, in: path) {
                roots.insert(String(decoding: path.utf8.prefix(end), as: UTF8.self))
            }
        }
        guard let root = roots.first else {
            throw DataSetError.missingFile(path: files.location, file: landmark, purpose: purpose)
        }
        guard roots.count == 1 else {
            let listed = roots.sortedByBytes().prefix(3).map { "'\($0)\(landmark)'" }.joined(separator: ", ")
            throw InputError.malformedFile(
                path: files.location, place: "names", expected: "one data set, here are \(listed)")
        }
        self.root = root
    }

    /// Bytes of `path` before `landmark`, where whole parts of the path are those of `landmark`.
    private static func rootLength(_ landmark: String, in path: String) -> Int? {
        let (path, landmark) = (Array(path.utf8), Array(landmark.utf8))
        let slash = UInt8(ascii: "/")
        if landmark.last != slash {
            guard path.count >= landmark.count, path.suffix(landmark.count).elementsEqual(landmark) else { return nil }
            let end = path.count - landmark.count
            return end == 0 || path[end - 1] == slash ? end : nil
        }
        var start = 0
        while start < path.count {
            if path[start...].starts(with: landmark) { return start }
            guard let next = path[start...].firstIndex(of: slash) else { return nil }
            start = next + 1
        }
        return nil
    }

    subscript(path: String) -> Int? { files.file(at: root + path) }

    /// How a file is called in an error.
    func place(_ path: String) -> String { files.location + "/" + root + path }

    /// - Throws: ``DataSetError/missingFile(path:file:purpose:)``.
    func index(_ path: String, purpose: String) throws -> Int {
        guard let index = self[path] else {
            throw DataSetError.missingFile(path: files.location, file: root + path, purpose: purpose)
        }
        return index
    }

    /// The lines of a text file, without empty ones at its end, numbered from 1.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    func lines(_ path: String, purpose: String) throws -> [TextLine] {
        try files.lines(index(path, purpose: purpose))
    }

    /// The pictures below a folder of the tree, ordered by the bytes of their paths.
    /// - Parameter folder: ends in `/`.
    /// - Returns: file numbers, and paths below `folder`.
    func pictures(in folder: String) throws -> [(file: Int, path: String)] {
        let prefix = root + folder
        return files.files(under: String(prefix.dropLast())).compactMap { file in
            let path = files.path(of: file)
            guard PictureFile.isPicture(path) else { return nil }
            return (file, String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
        }
    }
}
