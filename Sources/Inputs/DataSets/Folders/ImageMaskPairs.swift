import Archives

/// A folder of pictures and one of masks, a PNG file of the same path and name for each picture.
public struct ImageMaskPairs: SegmentedImages {
    public let classNames: [String]
    private let files: any FileCollection
    private let pairs: [(path: String, image: Int, mask: Int)]
    private let ignored: UInt16?

    /// - Parameters:
    ///   - images: folder below which the pictures lie, such as `images/`.
    ///   - masks: folder of the masks: palette or grey files whose numbers are 0 background and `l + 1`
    ///     for class `l`.
    ///   - ignored: the number of pixels that do not count; nil for none.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    public init(
        _ files: any FileCollection, images: String = "images/", masks: String = "masks/", classNames: [String],
        ignored: UInt16? = 255
    ) throws {
        let tree = try FileTree(files, landmark: images, purpose: "pictures with a mask each")
        let pictures = try tree.pictures(in: images)
        guard !pictures.isEmpty else { throw DataSetError.empty(path: tree.place(images), expected: "pictures") }
        func stem(_ path: String) -> Substring { path.lastIndex(of: ".").map { path[..<$0] } ?? path[...] }
        var masksLeft = Dictionary(
            try tree.pictures(in: masks).filter { $0.path.lowercased().hasSuffix(".png") }.map {
                (stem($0.path), $0.file)
            },
            uniquingKeysWith: { first, _ in first })
        var seen: Set<Substring> = []
        pairs = try pictures.map { file, path in
            guard seen.insert(stem(path)).inserted else {
                throw DataSetError.pictureListedTwice(
                    path: tree.place(images), place: path, picture: String(stem(path)))
            }
            guard let mask = masksLeft.removeValue(forKey: stem(path)) else {
                throw DataSetError.missingMask(path: tree.place(masks), picture: path)
            }
            return (path, file, mask)
        }
        if let lonely = masksLeft.keys.map(String.init).sortedByBytes().first {
            throw DataSetError.unknownPicture(path: tree.place(images), place: masks + lonely + ".png", picture: lonely)
        }
        (self.files, self.classNames, self.ignored) = (files, classNames, ignored)
    }

    /// The lines of `classes.txt` beside the folders of pictures and masks.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    static func classNames(_ files: any FileCollection) throws -> [String] {
        let purpose = "the names of the masks' classes, a line each"
        return try FileTree(files, landmark: "classes.txt", purpose: purpose).lines("classes.txt", purpose: purpose).map
        { String($0.text) }
    }

    public var count: Int { pairs.count }

    /// What a picture shows is known by its mask alone.
    public func record(_ index: Int) -> ImageRecord { ImageRecord(id: pairs[index].path, labels: []) }

    public func picture(_ index: Int) throws -> StoredPicture { try files.picture(pairs[index].image) }

    public func place(_ index: Int) -> String { files.place(of: pairs[index].image) }

    public func mask(_ index: Int) throws -> LabelMask {
        let pair = pairs[index]
        return try LabelMask(
            indexPNG: files.contents(of: pair.mask, limit: FileLimit.picture), path: files.place(of: pair.mask),
            ignored: ignored, classes: classNames.count, picture: pair.path
        ).checked(
            against: files.contents(of: pair.image, limit: FileLimit.picture), path: files.place(of: pair.mask),
            id: pair.path, place: place(index))
    }
}

extension PictureSet {
    /// A folder or archive with `images/`, `masks/` and `classes.txt`.
    public static let imageMaskPairs = PictureSet(
        "image-mask-pairs", isReaders: true, hasMasks: true, isLabelledByMasksOnly: true,
        parts: { _ in [Part("pictures", ["."], "pictures with a mask each")] },
        open: {
            let files = try $0.files("pictures")
            return LabelledPictures(try ImageMaskPairs(files, classNames: ImageMaskPairs.classNames(files)))
        })
}
