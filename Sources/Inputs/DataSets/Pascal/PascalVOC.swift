import Archives
import Foundation

/// Pascal VOC of 2007 to 2012: pictures with the 20 classes of objects that they show, and for those of
/// the segmentation splits a mask each.
///
/// Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010, and the development
/// kit: `ImageSets/{Main,Segmentation}/SPLIT.txt` list names, `JPEGImages/NAME.jpg`, `Annotations/NAME.xml`,
/// `SegmentationClass/NAME.png` with a palette whose numbers are 0 background, 1…20, 255 void.
public struct PascalVOC: SegmentedImages {
    /// Alphabetical, as the kit numbers them.
    public static let classes = [
        "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
        "horse",
        "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ]

    /// What the split is for.
    public enum Task: String, Sendable {
        case classification = "Main"
        case segmentation = "Segmentation"
    }

    public let classNames = classes
    private let tree: FileTree
    private let pictures: [PascalPicture]
    private let annotations: [PascalAnnotation]

    private static let void: UInt16 = 255

    /// - Parameters:
    ///   - files: `VOCtrainval_11-May-2012.tar`, or a folder with the kit.
    ///   - split: `train`, `val`, `trainval`, or another list of the kit.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    public init(_ files: any FileCollection, task: Task, split: String) throws {
        let list = "ImageSets/\(task.rawValue)/\(split).txt"
        let tree = try FileTree(files, landmark: list, purpose: "the pictures of a split of Pascal VOC")
        let pictures = try PascalPicture.listed(in: list, of: tree)
        if task == .segmentation, let bare = pictures.first(where: { tree[Self.mask(of: $0)] == nil }) {
            throw DataSetError.missingMask(path: tree.place(Self.mask(of: bare)), picture: bare.name)
        }
        let sources = try pictures.map {
            try tree.index("Annotations/\($0.name).xml", purpose: "the objects of the picture \($0.name)")
        }
        let contents = try files.contents(of: sources, limit: FileLimit.text)
        annotations = try sources.map { file in
            let annotation = try PascalAnnotation(contents[file] ?? [], path: files.place(of: file))
            for object in annotation.objects where !Self.classes.contains(object.name) {
                throw DataSetError.unknownClass(path: files.place(of: file), place: "object", name: object.name)
            }
            return annotation
        }
        (self.tree, self.pictures) = (tree, pictures)
    }

    private static func mask(of picture: PascalPicture) -> String { "SegmentationClass/\(picture.name).png" }

    public var count: Int { pictures.count }

    public func record(_ index: Int) -> ImageRecord {
        func labels(_ isDifficult: Bool) -> Set<Int> {
            Set(
                annotations[index].objects.filter { $0.isDifficult == isDifficult }.compactMap {
                    Self.classes.firstIndex(of: $0.name)
                })
        }
        let sure = labels(false)
        return ImageRecord(
            id: pictures[index].path, labels: sure.sorted(), uncertainLabels: labels(true).subtracting(sure).sorted())
    }

    public func picture(_ index: Int) throws -> StoredPicture { try tree.files.picture(pictures[index].file) }

    public func place(_ index: Int) -> String { tree.files.place(of: pictures[index].file) }

    /// - Throws: ``DataSetError/missingFile(path:file:purpose:)`` for a picture of a classification split without a mask.
    public func mask(_ index: Int) throws -> LabelMask {
        let picture = pictures[index]
        let file = try tree.index(Self.mask(of: picture), purpose: "the mask of the picture \(picture.name)")
        let path = tree.files.place(of: file)
        let mask = try LabelMask(
            indexPNG: tree.files.contents(of: file, limit: FileLimit.picture), path: path, ignored: Self.void,
            classes: classNames.count, picture: picture.name)
        return try mask.checked(
            against: tree.files.contents(of: picture.file, limit: FileLimit.picture), path: path, id: picture.path,
            place: place(index))
    }
}

/// A picture of a list of the VOC kit.
struct PascalPicture: Sendable {
    /// `2007_000032`.
    let name: String
    let file: Int

    var path: String { "JPEGImages/\(name).jpg" }

    /// - Throws: ``DataSetError/missingFile(path:file:purpose:)``, ``DataSetError``.
    static func listed(in list: String, of tree: FileTree) throws -> [PascalPicture] {
        var seen: Set<Substring> = []
        let pictures = try tree.lines(list, purpose: "the pictures of a split of Pascal VOC").map { line in
            // Lists of one class have a second column.
            guard let name = line.text.split(separator: " ").first else {
                throw InputError.malformedFile(
                    path: tree.place(list), place: line.place, expected: "the name of a picture")
            }
            guard seen.insert(name).inserted else {
                throw DataSetError.pictureListedTwice(path: tree.place(list), place: line.place, picture: String(name))
            }
            guard let file = tree["JPEGImages/\(name).jpg"] else {
                throw DataSetError.missingPicture(
                    path: tree.place(list), place: line.place, picture: "JPEGImages/\(name).jpg")
            }
            return PascalPicture(name: String(name), file: file)
        }
        guard !pictures.isEmpty else { throw DataSetError.empty(path: tree.place(list), expected: "names of pictures") }
        return pictures
    }
}

extension PictureSet {
    public static let voc2012 = PictureSet(
        "voc-2012", splits: ["train", "val", "trainval"], hasMasks: true,
        parts: { _ in
            [
                Part(
                    "kit", ["VOCtrainval_11-May-2012.tar", "VOCdevkit", "VOC2012", "."], "the kit of Pascal VOC 2012")
            ]
        },
        open: {
            LabelledPictures(
                try PascalVOC($0.files("kit"), task: $0.withMasks ? .segmentation : .classification, split: $0.split))
        })
}
