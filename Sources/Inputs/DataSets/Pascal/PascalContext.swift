import Archives
import Foundation

/// Pascal Context: the pictures of VOC 2010 with a label for nearly every pixel, of which the 59 most
/// frequent classes are used and the others are background.
///
/// Mottaghi et al., "The Role of Context for Object Detection and Semantic Segmentation in the Wild",
/// CVPR 2014. Read are the authors' label maps, `trainval.tar.gz`: one MAT-file a picture whose `LabelMap`
/// holds numbers of `labels.txt` from 1 on, 0 where nothing was labelled; and `59_labels.txt`, which names
/// the classes that count. Splits are VOC 2010's `ImageSets/Main/{train,val}.txt`.
public struct PascalContext: SegmentedImages {
    public let classNames: [String]
    private let tree: FileTree
    private let pictures: [PascalPicture]
    private let maps: any FileCollection
    private let mapFiles: [Int]
    /// The label of each number of `labels.txt`; index 0 is no label.
    private let labels: [UInt16]

    /// Three classes have other names in `59_labels.txt` than in `labels.txt`.
    private static let synonyms = ["table": "diningtable", "bedclothes": "bedcloth", "cloth": "clothes"]
    /// More bytes than one label map has: 500 × 500 numbers of eight bytes would be 2 MB.
    private static let mapBytes = 64 << 20

    /// - Parameters:
    ///   - voc: `VOCtrainval_03-May-2010.tar`, or a folder with the kit of 2010.
    ///   - maps: `trainval.tar.gz`, or a folder with its MAT-files.
    ///   - labels: `labels.txt` and `59_labels.txt`, of lines such as `12: bag`; nil takes the
    ///     former from the archive of maps.
    ///   - split: `train`, `val` or `trainval`.
    ///   - others: pixels of no class that counts: ``LabelMask/background`` for the protocol of 60 classes,
    ///     ``LabelMask/ignored`` for that of 59.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    public init(
        voc: any FileCollection, maps: any FileCollection, labels: URL? = nil, classes: URL, split: String,
        others: UInt16 = LabelMask.background
    ) throws {
        let list = "ImageSets/Main/\(split).txt"
        tree = try FileTree(voc, landmark: list, purpose: "the pictures of a split of Pascal VOC 2010")
        pictures = try PascalPicture.listed(in: list, of: tree)

        let all = try labels.map(PascalLabelList.init) ?? PascalLabelList(beside: maps)
        let used = try PascalLabelList(classes)
        classNames = used.names
        var table = [UInt16](repeating: others, count: all.names.count + 1)
        for (label, name) in used.names.enumerated() {
            let candidates =
                [name] + Self.synonyms.filter { $0.value == name }.map(\.key) + [Self.synonyms[name]].compactMap { $0 }
            guard let number = candidates.lazy.compactMap({ all.names.firstIndex(of: $0) }).first else {
                throw DataSetError.unknownClass(
                    path: labels?.path ?? maps.location, place: "line \(label + 1) of \(classes.lastPathComponent)",
                    name: name)
            }
            table[number + 1] = UInt16(label + 1)
        }
        self.labels = table

        self.maps = maps
        var byName: [Substring: Int] = [:]
        for file in 0..<maps.count {
            let name = maps.path(of: file).split(separator: "/").last ?? ""
            if name.hasSuffix(".mat"), !name.hasPrefix("._") { byName[name] = file }
        }
        mapFiles = try pictures.map { picture in
            guard let file = byName["\(picture.name).mat"] else {
                throw DataSetError.missingMask(path: maps.location, picture: picture.name)
            }
            return file
        }
    }

    public var count: Int { pictures.count }

    /// What a picture shows is known by its mask alone.
    public func record(_ index: Int) -> ImageRecord { ImageRecord(id: pictures[index].path, labels: []) }

    public func picture(_ index: Int) throws -> StoredPicture { try tree.files.picture(pictures[index].file) }

    public func place(_ index: Int) -> String { tree.files.place(of: pictures[index].file) }

    public func mask(_ index: Int) throws -> LabelMask {
        let file = mapFiles[index]
        let path = maps.place(of: file)
        let bytes = try maps.contents(of: file, limit: FileLimit.picture)
        let variables = try MATLAB5File(bytes, path: path, wanted: ["LabelMap"], limit: Self.mapBytes).variables
        guard let mask = variables["LabelMap"]?.array?.mask() else {
            throw InputError.malformedFile(path: path, place: "LabelMap", expected: "a matrix of whole numbers")
        }
        let picture = pictures[index]
        let labelled = try mask.renumbered(path: path, picture: picture.name, classes: labels.count - 1) { number in
            labels.indices.contains(Int(number)) ? labels[Int(number)] : nil
        }
        return try labelled.checked(
            against: tree.files.contents(of: picture.file, limit: FileLimit.picture), path: path, id: picture.path,
            place: place(index))
    }
}

/// A list of lines such as `12: bag`, with the numbers from 1 on.
struct PascalLabelList {
    /// In the order of their numbers; without spaces, which some lists have and others have not.
    let names: [String]

    /// - Throws: ``InputError``, ``DataSetError``.
    init(_ url: URL) throws {
        try self.init(TextFile.lines(url, purpose: "the labels of Pascal Context"), path: url.path)
    }

    /// `labels.txt` beside the maps, as the archive of maps has it.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    init(beside maps: any FileCollection) throws {
        let (name, purpose) = ("labels.txt", "the labels of Pascal Context")
        // `59_labels.txt` may lie beside it.
        let tree = try FileTree(maps, landmark: name, purpose: purpose)
        try self.init(tree.lines(name, purpose: purpose), path: tree.place(name))
    }

    private init(_ lines: [TextLine], path: String) throws {
        guard !lines.isEmpty, lines.count < Int(LabelMask.ignored) else {
            throw DataSetError.empty(path: path, expected: "lines such as '12: bag'")
        }
        var names = [String?](repeating: nil, count: lines.count)
        for line in lines {
            let parts = line.text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let number = Int(parts[0].trimmingCharacters(in: .whitespaces)),
                (1...lines.count).contains(number), names[number - 1] == nil
            else {
                throw InputError.malformedFile(
                    path: path, place: line.place,
                    expected: "a number from 1 to \(lines.count), each once, a colon and a label")
            }
            names[number - 1] = parts[1].filter { !$0.isWhitespace }
        }
        self.names = names.compactMap { $0 }
    }
}

extension PictureSet {
    public static let pascalContext = PictureSet(
        "pascal-context", splits: ["train", "val", "trainval"], hasMasks: true, isLabelledByMasksOnly: true,
        parts: { _ in
            [
                Part(
                    "pictures", ["VOCtrainval_03-May-2010.tar", "VOCdevkit", "VOC2010"],
                    "the pictures of Pascal VOC 2010"),
                Part("maps", ["trainval.tar.gz", "trainval"], "the label maps of Pascal Context"),
                Part("labels", ["labels.txt"], "the labels of Pascal Context", isOptional: true),
                Part("classes", ["59_labels.txt"], "the 59 classes of Pascal Context"),
            ]
        },
        open: {
            LabelledPictures(
                try PascalContext(
                    voc: $0.files("pictures"), maps: $0.files("maps"), labels: $0.found("labels"),
                    classes: $0.url("classes"), split: $0.split))
        })
}
