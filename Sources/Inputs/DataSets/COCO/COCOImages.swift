import Archives
import Foundation

/// COCO 2017: pictures with instances of 80 categories, or with stuff, for segmentation and for multi-label
/// classification.
public struct COCOImages: SegmentedImages {
    /// How the classes are numbered.
    public enum Numbering: Sendable {
        /// 0… in the order of the categories' ids: 80 classes.
        case contiguous
        /// The id less one: 90 classes of instances, the ten ids that the set does not use without a name.
        case original
    }

    /// What a pixel is that several annotations cover.
    public enum Overlap: Sendable {
        /// The class of the last one in the file, as COCO's own tools paint.
        case lastWins
        /// ``LabelMask/ignored`` where two classes meet.
        case ignored
    }

    /// What the pixels of crowds are.
    public enum Crowds: Sendable {
        case painted
        /// ``LabelMask/ignored``, wherever no single object lies on them.
        case ignored
        case leftOut
    }

    public let classNames: [String]
    private let images: any FileCollection
    private let annotations: COCOAnnotations
    private let numbers: [Int]
    private let files: [Int32]
    private let overlap: Overlap
    private let crowds: Crowds

    /// - Parameters:
    ///   - images: `val2017.zip`, `val2017/` or a folder with it.
    ///   - annotations: `annotations_trainval2017.zip`, `annotations/` or a folder with it.
    ///   - name: the file of annotations, such as `instances_val2017.json` or `stuff_val2017.json`.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    public init(
        images: any FileCollection, annotations: any FileCollection, name: String, numbering: Numbering = .contiguous,
        overlap: Overlap = .lastWins, crowds: Crowds = .ignored
    ) throws {
        let tree = try FileTree(annotations, landmark: name, purpose: "the annotations of COCO")
        let path = tree.place(name)
        let contents = try annotations.contents(
            of: tree.index(name, purpose: "the annotations of COCO"), limit: FileLimit.annotations)
        let read = try COCOAnnotations(contents, path: path)
        self.annotations = read
        self.images = images
        self.overlap = overlap
        self.crowds = crowds
        switch numbering {
        case .contiguous:
            classNames = read.categories.map(\.name)
            numbers = Array(read.categories.indices)
        case .original:
            guard let last = read.categories.last, read.categories.allSatisfy({ $0.id > 0 }) else {
                throw InputError.malformedFile(path: path, place: "categories", expected: "ids from 1 on")
            }
            var names = [String](repeating: "", count: last.id)
            for category in read.categories { names[category.id - 1] = category.name }
            classNames = names
            numbers = read.categories.map { $0.id - 1 }
        }
        // Names of pictures are bare; the zip has a folder in front of them.
        var byName: [Substring: Int32] = [:]
        for file in 0..<images.count {
            let path = images.path(of: file)
            guard PictureFile.isPicture(path) else { continue }
            let name = path.split(separator: "/").last ?? path[...]
            guard byName.updateValue(Int32(file), forKey: name) == nil else {
                throw DataSetError.pictureListedTwice(path: images.location, place: path, picture: String(name))
            }
        }
        files = try read.pictures.map { picture in
            guard let file = byName[picture.fileName[...]] else {
                throw DataSetError.missingPicture(path: images.location, place: path, picture: picture.fileName)
            }
            return file
        }
        guard Set(files).count == files.count else {
            throw DataSetError.pictureListedTwice(path: path, place: "images", picture: "file_name")
        }
    }

    public var count: Int { files.count }

    /// All categories of the picture, crowds included.
    public func record(_ index: Int) -> ImageRecord {
        let labels = Set(annotations.annotations(of: index).map { numbers[Int($0.category)] })
        return ImageRecord(id: annotations.pictures[index].fileName, labels: labels.sorted())
    }

    public func picture(_ index: Int) throws -> StoredPicture { try images.picture(Int(files[index])) }

    public func place(_ index: Int) -> String { images.place(of: Int(files[index])) }

    public func mask(_ index: Int) throws -> LabelMask {
        let picture = annotations.pictures[index]
        var mask = LabelMask(width: picture.width, height: picture.height)
        let all = annotations.annotations(of: index)
        for annotation in all where !annotation.isCrowd || crowds == .painted {
            try forEachPixel(of: annotation, picture) { pixel in
                let (label, before) = (UInt16(numbers[Int(annotation.category)] + 1), mask.labels[pixel])
                let isShared = overlap == .ignored && before != LabelMask.background && before != label
                mask.labels[pixel] = isShared ? LabelMask.ignored : label
            }
        }
        for crowd in all where crowd.isCrowd && crowds == .ignored {
            try forEachPixel(of: crowd, picture) { pixel in
                if mask.labels[pixel] == LabelMask.background { mask.labels[pixel] = LabelMask.ignored }
            }
        }
        let bytes = try images.contents(of: Int(files[index]), limit: FileLimit.picture)
        return try mask.checked(against: bytes, path: images.location, id: picture.fileName, place: place(index))
    }

    /// Calls `body` with the index into a row-major mask of each pixel of an annotation.
    private func forEachPixel(
        of annotation: COCOAnnotations.Annotation, _ picture: COCOAnnotations.Picture, _ body: (Int) -> Void
    ) throws {
        guard let region = try annotations.region(annotation, of: picture) else { return }
        for column in 0..<picture.width {
            for row in 0..<picture.height where region[column * picture.height + row] {
                body(row * picture.width + column)
            }
        }
    }
}

extension PictureSet {
    public static let coco2017Train = coco("train")
    public static let coco2017Validation = coco("val")

    private static func coco(_ part: String) -> PictureSet {
        PictureSet(
            "coco-2017-\(part)", folder: "coco-2017", hasMasks: true,
            parts: { _ in
                [
                    Part("pictures", ["\(part)2017.zip", "\(part)2017"], "the pictures of COCO 2017"),
                    Part(
                        "annotations", ["annotations_trainval2017.zip", "annotations"], "the annotations of COCO 2017"),
                ]
            },
            open: {
                LabelledPictures(
                    try COCOImages(
                        images: $0.files("pictures"), annotations: $0.files("annotations"),
                        name: "instances_\(part)2017.json"))
            })
    }
}
