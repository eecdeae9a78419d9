import Archives
import Foundation

/// Folders of pictures, one a class: ImageNet's training set, ImageNet-R, ImageNet's validation set where
/// somebody has sorted it, and anything that torchvision's `ImageFolder` reads.
///
/// Pictures stand in the order of `ImageFolder`: classes by name, then files by path, both by code point.
/// A tar of tars counts as folders whose names lose their `.tar`, so that ids and order do not depend on
/// whether a set is packed.
public struct ClassFolders: ImageCollection {
    public let classNames: [String]
    private let files: any FileCollection
    private let entries: [Entry]
    /// Bytes of a path before the folder of a class.
    private let rootLength: Int

    private struct Entry {
        var file: Int32
        var label: Int32
    }

    /// - Parameters:
    ///   - root: the folder of the class folders with a trailing `/`; nil finds the folder that all
    ///     pictures have in common.
    ///   - classes: names of folders in label order, for sets that show some of them only. Nil takes the folders.
    ///   - classNames: what the classes are called; nil takes the names of the folders.
    /// - Throws: ``DataSetError``, ``InputError``.
    public init(
        _ files: any FileCollection, root: String? = nil, classes: [String]? = nil, classNames: [String]? = nil
    ) throws {
        self.files = files
        var pictures: [(file: Int32, path: String)] = []
        for file in files.files(under: root.map { String($0.dropLast()) } ?? "") {
            let path = files.path(of: file)
            if PictureFile.isPicture(path) { pictures.append((Int32(file), path)) }
        }
        let location = files.location
        guard !pictures.isEmpty else {
            throw DataSetError.empty(path: location, expected: "folders of pictures, one a class")
        }
        let rootLength = root?.utf8.count ?? Self.commonRootLength(pictures.map(\.path))
        self.rootLength = rootLength

        var byFolder: [String: [(file: Int32, path: String)]] = [:]
        for picture in pictures {
            let id = Self.id(of: picture.path, rootLength)
            guard let slash = id.utf8.firstIndex(of: UInt8(ascii: "/")) else {
                throw DataSetError.unknownClass(path: location, place: picture.path, name: "")
            }
            byFolder[String(id[..<slash]), default: []].append((picture.file, id))
        }
        let names = classes ?? byFolder.keys.sortedByBytes()
        let labels = Dictionary(
            names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        if let classNames, classNames.count != names.count {
            throw DataSetError.classCount(path: location, found: names.count, expected: classNames.count)
        }
        var entries: [Entry] = []
        entries.reserveCapacity(pictures.count)
        for folder in byFolder.keys.sortedByBytes() {
            guard let label = labels[folder] else {
                throw DataSetError.unknownClass(path: location, place: folder, name: folder)
            }
            // They come ordered, but for a folder and a tar of the same name.
            var own = byFolder[folder] ?? []
            let isOrdered = zip(own, own.dropFirst()).allSatisfy { $0.path.precedesByBytes($1.path) }
            if !isOrdered { own.sort { $0.path.precedesByBytes($1.path) } }
            for (previous, next) in zip(own, own.dropFirst()) where !isOrdered && previous.path == next.path {
                throw DataSetError.pictureListedTwice(path: location, place: folder, picture: next.path)
            }
            entries += own.map { Entry(file: $0.file, label: Int32(label)) }
        }
        self.entries = entries
        self.classNames = classNames ?? names
    }

    public var count: Int { entries.count }

    /// The classes of which there are pictures, ascending: 200 of the 1000 for ImageNet-R.
    public var presentLabels: [Int] { Set(entries.map { Int($0.label) }).sorted() }

    public func record(_ index: Int) -> ImageRecord {
        let entry = entries[index]
        return ImageRecord(id: Self.id(of: files.path(of: Int(entry.file)), rootLength), labels: [Int(entry.label)])
    }

    public func picture(_ index: Int) throws -> StoredPicture { try files.picture(Int(entries[index].file)) }

    public func place(_ index: Int) -> String { files.place(of: Int(entries[index].file)) }

    /// The path below the root, with `NAME/` in place of a leading `NAME.tar/`.
    private static func id(of path: String, _ rootLength: Int) -> String {
        let id = path.utf8.dropFirst(rootLength)
        guard let slash = id.firstIndex(of: UInt8(ascii: "/")), id[..<slash].suffix(4).elementsEqual(".tar".utf8) else {
            return String(Substring(id))
        }
        return String(Substring(id[..<slash].dropLast(4))) + String(Substring(id[slash...]))
    }

    /// Bytes of the folders that all paths begin with; where all pictures lie in one folder, that is the
    /// class of all and counts as no root.
    private static func commonRootLength(_ paths: [String]) -> Int {
        let slash = UInt8(ascii: "/")
        var common = Array((paths.first ?? "").utf8)[...]
        for path in paths {
            let shared = zip(common, path.utf8).prefix { $0 == $1 }.count
            if shared < common.count { common = common.prefix(shared) }
        }
        common = common.prefix((common.lastIndex(of: slash) ?? -1) + 1)
        let isOneFolder = paths.allSatisfy { !$0.utf8.dropFirst(common.count).contains(slash) }
        if isOneFolder { common = common.prefix((common.dropLast().lastIndex(of: slash) ?? -1) + 1) }
        return common.count
    }
}

extension PictureSet {
    /// A folder or archive with a folder of pictures for each class.
    public static let classFolders = PictureSet(
        "class-folders", isReaders: true,
        parts: { _ in [Part("pictures", ["."], "folders of pictures, one a class")] },
        open: { LabelledPictures(try ClassFolders($0.files("pictures"))) })
}

/// The pictures of a folder or an archive, whatever they show, in the order of the bytes of their paths.
///
/// A picture is what is called one: files of formats that are not read here are in the list too, so that
/// whoever decodes them can say which they are; other files are left out.
struct PictureFiles: ImageCollection {
    private let files: any FileCollection
    private let pictures: [Int]

    init(_ files: any FileCollection) {
        self.files = files
        pictures = files.files().filter { PictureFile.isPicture(files.path(of: $0)) }
    }

    /// Nothing is known of what they show.
    var classNames: [String] { [] }
    var count: Int { pictures.count }
    func record(_ index: Int) -> ImageRecord { ImageRecord(id: files.path(of: pictures[index]), labels: []) }
    func picture(_ index: Int) throws -> StoredPicture { try files.picture(pictures[index]) }
    func place(_ index: Int) -> String { files.place(of: pictures[index]) }
}

extension PictureSource {
    /// All pictures of a folder or an archive, of which nothing else is known; no spec names such a set.
    /// - Throws: ``DataSetError/notThere(set:place:expected:purpose:)``.
    public init(pictures place: URL) throws {
        let set = PictureSet(
            "pictures", isReaders: true, place: .anywhere, parts: { _ in [.init("pictures", ["."], "pictures")] },
            open: { LabelledPictures(PictureFiles(try $0.files("pictures"))) })
        // Neither a folder of data nor ImageNet's names are asked for.
        try self.init(set, split: nil, path: place, data: place, classes: .init(wnids: place, names: place))
    }
}
