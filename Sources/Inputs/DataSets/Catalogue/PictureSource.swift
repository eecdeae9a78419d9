import Archives
import Foundation

/// A set of pictures, one of its splits, and where its files lie.
public struct PictureSource: Sendable, Equatable {
    public let set: PictureSet
    /// Nil for a set that has one part only.
    public let split: String?
    /// The set's folder, or its only file.
    public let place: URL
    /// Files and folders that are opened, by the keys of the set's parts.
    let found: [String: URL]
    let classes: ImageNetNames
    /// What a table's labels mean, where they are indices.
    let tableClasses: URL?

    /// The files that give ImageNet's classes their numbers and names.
    public struct ImageNetNames: Sendable, Equatable {
        public var wnids: URL
        public var names: URL

        public init(wnids: URL, names: URL) { (self.wnids, self.names) = (wnids, names) }
    }

    /// - Parameters:
    ///   - path: where the files lie, if not in the set's own folder of `data`.
    ///   - data: the folder of data.
    ///   - tableClasses: a file of class names, for a table of pictures and indices.
    /// - Throws: ``DataSetError/notThere(set:place:expected:purpose:)`` where a file is missing,
    ///   ``DataSetError/otherKindOfPlace(set:path:isFolder:fitting:)``,
    ///   ``InputError/unknownSplit(name:known:)``.
    public init(
        _ set: PictureSet, split: String?, path: URL?, data: URL, classes: ImageNetNames, tableClasses: URL? = nil
    ) throws {
        guard split.map(set.splits.contains) ?? set.splits.isEmpty else {
            throw InputError.unknownSplit(name: split ?? "", known: set.splits)
        }
        let place = path ?? data.appendingPathComponent(set.folder ?? set.name, isDirectory: true)
        (self.set, self.split, self.place, self.classes, self.tableClasses) = (set, split, place, classes, tableClasses)
        try Self.check(place, is: set)
        found = try set.parts(split).reduce(into: [:]) { found, part in
            var folders = [place]
            if let neighbour = part.neighbour {
                folders += [data, place.deletingLastPathComponent()].map {
                    $0.appendingPathComponent(neighbour, isDirectory: true)
                }
            }
            let candidates = folders.flatMap { folder in
                part.names.map { $0 == "." ? folder : folder.appendingPathComponent($0) }
            }
            found[part.key] = candidates.first { FileManager.default.fileExists(atPath: $0.path) }
            guard found[part.key] != nil || part.isOptional else {
                throw DataSetError.notThere(
                    set: set.name, place: place.path, expected: part.names.filter { $0 != "." }, purpose: part.purpose)
            }
        }
    }

    /// The reader's own sets differ in what their path names.
    /// - Throws: ``DataSetError/otherKindOfPlace(set:path:isFolder:fitting:)``.
    private static func check(_ place: URL, is set: PictureSet) throws {
        var isFolder: ObjCBool = false
        guard set.folder == nil, set.place != .anywhere,
            FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder)
        else {
            return
        }
        let isTable = !isFolder.boolValue && ["csv", "tsv", "txt"].contains(place.pathExtension.lowercased())
        let isOther = set.place == .table ? isFolder.boolValue : isTable
        guard !isOther else {
            throw DataSetError.otherKindOfPlace(
                set: set.name, path: place.path, isFolder: isFolder.boolValue,
                fitting: PictureSet.all.filter { $0.folder == nil && $0.place != set.place }.map(\.name))
        }
    }

    /// The files and folders that decide what the pictures are.
    /// - Throws: ``DataSetError``, ``InputError`` for a table that cannot be read.
    public func files() throws -> [URL] {
        try set.parts(split).compactMap { found[$0.key] }
            + (set.hasImageNetClasses ? [classes.wnids, classes.names] : []) + set.otherFiles(self)
            + [tableClasses].compactMap { $0 }
    }

    /// Opens the set: reads its annotations, no picture.
    /// - Parameters:
    ///   - withMasks: take the pictures that have masks.
    ///   - indices: where indices of archives are kept; nil keeps none.
    /// - Throws: ``DataSetError``, ``InputError``, `ArchiveError`.
    public func open(withMasks: Bool, indices: IndexedArchive.Shelf? = nil) throws -> LabelledPictures {
        try set.open(SetFiles(source: self, withMasks: withMasks, indices: indices))
    }
}
