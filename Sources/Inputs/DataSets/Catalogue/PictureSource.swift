import Archives
import Foundation

/// A set of pictures, one of its splits, and where its files lie.
public struct PictureSource: Sendable, Equatable {
    public let set: PictureSet
    /// Nil for a set that has one part only.
    public let split: String?
    /// The set's folder, or its only file.
    public let place: URL
    /// Files and folders that are opened, in the order of the set's parts; nil where an optional one is missing.
    let parts: [URL?]
    private let classes: ImageNetNames
    /// What a table's labels mean, where they are indices.
    private let tableClasses: URL?

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
        let place = path ?? data.appendingPathComponent(set.folder ?? set.rawValue, isDirectory: true)
        (self.set, self.split, self.place, self.classes, self.tableClasses) = (set, split, place, classes, tableClasses)
        try Self.check(place, is: set)
        parts = try set.parts(split: split).map { part in
            var folders = [place]
            if let neighbour = part.neighbour {
                folders += [data, place.deletingLastPathComponent()].map {
                    $0.appendingPathComponent(neighbour, isDirectory: true)
                }
            }
            let candidates = folders.flatMap { folder in
                part.names.map { $0 == "." ? folder : folder.appendingPathComponent($0) }
            }
            if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) { return found }
            guard part.isOptional else {
                throw DataSetError.notThere(
                    set: set.rawValue, place: place.path, expected: part.names.filter { $0 != "." },
                    purpose: part.purpose)
            }
            return nil
        }
    }

    /// The reader's own sets differ in what their path names.
    /// - Throws: ``DataSetError/otherKindOfPlace(set:path:isFolder:fitting:)``.
    private static func check(_ place: URL, is set: PictureSet) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) else { return }
        let isTable = !isFolder.boolValue && ["csv", "tsv", "txt"].contains(place.pathExtension.lowercased())
        let fitting: [PictureSet] =
            switch set {
            case .imageTable where isFolder.boolValue: [.classFolders, .imageMaskPairs]
            case .classFolders where isTable, .imageMaskPairs where isTable: [.imageTable]
            default: []
            }
        guard fitting.isEmpty else {
            throw DataSetError.otherKindOfPlace(
                set: set.rawValue, path: place.path, isFolder: isFolder.boolValue, fitting: fitting.map(\.rawValue))
        }
    }

    /// The files and folders that decide what the pictures are.
    /// - Throws: ``DataSetError``, ``InputError`` for a table that cannot be read.
    public func files() throws -> [URL] {
        try parts.compactMap { $0 } + (set.hasImageNetClasses ? [classes.wnids, classes.names] : [])
            + (set == .imageTable ? ImageTable(place, classNames: tableClasses.map(PromptSet.classNames)).files : [])
            + [tableClasses].compactMap { $0 }
    }

    /// Opens the set: reads its annotations, no picture.
    /// - Parameters:
    ///   - withMasks: take the pictures that have masks.
    ///   - indices: where indices of archives are kept; nil keeps none.
    /// - Throws: ``DataSetError``, ``InputError``, `ArchiveError`.
    public func open(withMasks: Bool, indices: IndexedArchive.Shelf? = nil) throws -> LabelledPictures {
        func files(_ part: Int) throws -> any FileCollection {
            guard let url = parts[part] else {
                preconditionFailure("only optional parts are missing, and they are asked for first")
            }
            return try IndexedArchive.open(url, indices: indices)
        }
        func names() throws -> ImageNetClasses { try ImageNetClasses(wnids: classes.wnids, names: classes.names) }
        switch set {
        case .imageNetTrain: return LabelledPictures(try ImageNet.train(files(0), classes: names()))
        case .imageNetValidation: return try validation(files(0), devkit: parts[1].map { _ in try files(1) }, names())
        case .imageNetR:
            return LabelledPictures(try ImageNet.renditions(files(0), classes: names())).amongPresentClasses()
        case .imageNetSegmentation:
            guard let url = parts[0] else { preconditionFailure("this part is not optional") }
            return LabelledPictures(try ImageNetSegmentation(url), classes: try names())
        case .imageNetS50, .imageNetS300, .imageNetS919:
            let masks = try files(0)
            let pictures = try ImageNetS.hasPictures(masks) || parts[1] == nil ? masks : files(1)
            return LabelledPictures(
                try ImageNetS(masks: masks, split: split ?? "", pictures: pictures, classes: names()))
        case .cifar10, .cifar100:
            return LabelledPictures(try CIFAR(files(0), split: split.flatMap(CIFAR.Split.init) ?? .test))
        case .voc2012:
            return LabelledPictures(
                try PascalVOC(files(0), task: withMasks ? .segmentation : .classification, split: split ?? ""))
        case .pascalContext:
            guard let used = parts[3] else { preconditionFailure("this part is not optional") }
            return LabelledPictures(
                try PascalContext(voc: files(0), maps: files(1), labels: parts[2], classes: used, split: split ?? ""))
        case .coco2017Train, .coco2017Validation:
            let name = set == .coco2017Train ? "instances_train2017.json" : "instances_val2017.json"
            return LabelledPictures(try COCOImages(images: files(0), annotations: files(1), name: name))
        case .classFolders: return LabelledPictures(try ClassFolders(files(0)))
        case .imageTable:
            return LabelledPictures(try ImageTable(place, classNames: tableClasses.map(PromptSet.classNames)))
        case .imageMaskPairs:
            return LabelledPictures(try ImageMaskPairs(files(0), classNames: ImageMaskPairs.classNames(files(0))))
        }
    }

    /// Sorted into folders of classes, the validation set needs no development kit.
    private func validation(
        _ pictures: any FileCollection, devkit: (any FileCollection)?, _ classes: ImageNetClasses
    ) throws -> LabelledPictures {
        guard let devkit = try devkit.map(ImageNetDevkit.init) else {
            guard ImageNet.isSorted(pictures) else {
                let part = set.parts(split: split)[1]
                throw DataSetError.notThere(
                    set: set.rawValue, place: place.path, expected: part.names, purpose: part.purpose)
            }
            return LabelledPictures(try ImageNet.train(pictures, classes: classes))
        }
        guard devkit.classes.wnids == classes.wnids else {
            throw DataSetError.classCount(
                path: parts[1]?.path ?? "", found: devkit.classes.wnids.count, expected: classes.wnids.count)
        }
        let images = try ImageNet.validation(pictures, devkit)
        return LabelledPictures(images, classNames: classes.names)
    }
}
