import Archives
import Foundation

/// ImageNet-S: masks of 50, 300 or 919 of ImageNet's classes for pictures of its validation and training sets.
///
/// Gao et al., "Large-scale Unsupervised Semantic Segmentation", TPAMI 2022. Masks lie in
/// `SPLIT-segmentation/WNID/NAME.png` as RGB files of the number R + 256 G: 0 other, 1000 ignored, and
/// else the place of the class among the set's WordNet numbers in ascending order, from 1 on.
public struct ImageNetS: SegmentedImages {
    public let classNames: [String]
    private let masks: any FileCollection
    private let pictures: any FileCollection
    private let entries: [Entry]

    private struct Entry {
        var id: String
        var label: Int
        var mask: Int
        var picture: Int
    }

    private static let ignored = 1000

    /// - Parameters:
    ///   - masks: the set's archive or folder.
    ///   - split: `validation`, `train-semi` or `test`.
    ///   - pictures: the same, or ImageNet's own tar: pictures are found by their names.
    ///   - categories: the set's list of WordNet numbers, `ImageNetS_categories_im919.txt`; nil takes the
    ///     folders of the split.
    ///   - classes: gives the classes names; nil leaves them their numbers.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    public init(
        masks: any FileCollection, split: String, pictures: any FileCollection, categories: URL? = nil,
        classes: ImageNetClasses? = nil
    ) throws {
        let folder = "\(split)-segmentation/"
        let tree = try FileTree(masks, landmark: folder, purpose: "the masks of ImageNet-S")
        let files = try tree.pictures(in: folder)
        guard !files.isEmpty else { throw DataSetError.empty(path: tree.place(folder), expected: "WNID/NAME.png") }
        let wnids =
            try categories.map(Self.wnids) ?? Set(files.map { String($0.path.prefix { $0 != "/" }) }).sortedByBytes()
        guard wnids.count < Self.ignored else {
            throw DataSetError.classCount(path: masks.location, found: wnids.count, expected: Self.ignored - 1)
        }
        let labels = Dictionary(
            wnids.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })

        // By name without extension; a mask of the same name is no picture.
        var byName: [Substring: Int] = [:]
        for file in 0..<pictures.count {
            let path = pictures.path(of: file)
            guard PictureFile.isPicture(path), !path.contains("-segmentation/") else { continue }
            byName[Self.stem(path)] = file
        }
        entries = try files.map { file, path in
            let wnid = String(path.prefix { $0 != "/" })
            guard let label = labels[wnid] else {
                throw DataSetError.unknownClass(path: masks.location, place: folder + path, name: wnid)
            }
            guard let picture = byName[Self.stem(path)] else {
                throw DataSetError.missingPicture(
                    path: pictures.location, place: folder + path, picture: String(Self.stem(path)))
            }
            return Entry(id: path, label: label, mask: file, picture: picture)
        }
        let byWNID = classes.map { Dictionary(zip($0.wnids, $0.names), uniquingKeysWith: { first, _ in first }) } ?? [:]
        classNames = wnids.map { byWNID[$0] ?? $0 }
        (self.masks, self.pictures) = (masks, pictures)
    }

    /// Whether an archive has pictures beside its masks.
    static func hasPictures(_ files: any FileCollection) -> Bool {
        (0..<files.count).contains { file in
            let path = files.path(of: file)
            return !path.contains("-segmentation/") && PictureFile.isPicture(path)
        }
    }

    private static func wnids(_ url: URL) throws -> [String] {
        let lines = try TextFile.lines(url, purpose: "the classes of ImageNet-S")
        for line in lines where !ImageNetClasses.isWNID(line.text) {
            throw InputError.malformedFile(
                path: url.path, place: line.place, expected: "a WordNet number such as n01440764")
        }
        return Set(lines.map { String($0.text) }).sortedByBytes()
    }

    private static func stem(_ path: String) -> Substring {
        let name = path.split(separator: "/").last ?? path[...]
        return name.lastIndex(of: ".").map { name[..<$0] } ?? name
    }

    public var count: Int { entries.count }

    public func record(_ index: Int) -> ImageRecord {
        ImageRecord(id: entries[index].id, labels: [entries[index].label])
    }

    public func picture(_ index: Int) throws -> StoredPicture { try pictures.picture(entries[index].picture) }

    public func place(_ index: Int) -> String { pictures.place(of: entries[index].picture) }

    public func mask(_ index: Int) throws -> LabelMask {
        let entry = entries[index]
        let path = masks.place(of: entry.mask)
        let numbers = try LabelMask(
            png: masks.contents(of: entry.mask, limit: FileLimit.picture), coding: .redGreen, path: path)
        let mask = try numbers.renumbered(
            path: path, picture: entry.id, classes: classNames.count
        ) { number in
            number == Self.ignored ? LabelMask.ignored : number <= classNames.count ? number : nil
        }
        return try mask.checked(
            against: pictures.contents(of: entry.picture, limit: FileLimit.picture), path: path, id: entry.id,
            place: place(index))
    }
}

extension PictureSet {
    public static let imageNetS50 = imageNetS(
        "imagenet-s-50", archive: "ImageNetS50", published: "a0fe9d82231f9bc4787ee76e304dfa51")
    public static let imageNetS300 = imageNetS(
        "imagenet-s-300", archive: "ImageNetS300", published: "dd8e42e156bac415a35c3c239de297bf")
    public static let imageNetS919 = imageNetS(
        "imagenet-s", archive: "ImageNetS919", published: "5f7f58ae1003d21da9409a8576bf7680")

    /// - Parameter published: what the published archive has behind its name.
    private static func imageNetS(_ name: String, archive: String, published: String) -> PictureSet {
        PictureSet(
            name, folder: "imagenet-s", splits: ["validation", "train-semi"], hasMasks: true, hasImageNetClasses: true,
            parts: { split in
                let pictures =
                    split == "train-semi" ? ["ILSVRC2012_img_train.tar", "train"] : ["ILSVRC2012_img_val.tar", "val"]
                return [
                    Part(
                        "masks", ["\(archive)-\(published).zip", archive + ".zip", archive + ".tar", archive],
                        "the masks of \(archive)"),
                    Part(
                        "pictures", pictures, "the pictures of \(archive)", isOptional: true, neighbour: "imagenet"),
                ]
            },
            open: { set in
                let masks = try set.files("masks")
                let isWhole = ImageNetS.hasPictures(masks) || set.found("pictures") == nil
                return LabelledPictures(
                    try ImageNetS(
                        masks: masks, split: set.split, pictures: isWhole ? masks : set.files("pictures"),
                        classes: set.imageNetClasses()))
            })
    }
}
