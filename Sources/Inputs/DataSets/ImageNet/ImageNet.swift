import Archives

/// The sets of pictures with ImageNet's 1000 classes.
public enum ImageNet {
    /// `ILSVRC2012_img_train.tar`, a tar of a tar for each class, or folders named by WordNet numbers.
    /// - Parameter classes: nil takes the folders' names.
    /// - Throws: ``DataSetError``, ``InputError``, `ArchiveError`.
    public static func train(_ files: any FileCollection, classes: ImageNetClasses? = nil) throws -> ClassFolders {
        let images = try ClassFolders(files, classes: classes?.wnids, classNames: classes?.names)
        if let classes { try check(images, has: classes.wnids.count, files) }
        return images
    }

    /// `ILSVRC2012_img_val.tar`, a folder of its pictures, or those sorted into folders of classes.
    /// - Throws: ``DataSetError``, ``InputError``, `ArchiveError`.
    public static func validation(_ files: any FileCollection, _ devkit: ImageNetDevkit) throws -> any ImageCollection {
        guard isSorted(files) else { return try ImageNetValidation(files, devkit) }
        let images = try ClassFolders(files, classes: devkit.classes.wnids, classNames: devkit.classes.names)
        guard images.count == devkit.validationLabels.count else {
            throw DataSetError.pictureCount(
                path: files.location, found: images.count, expected: devkit.validationLabels.count)
        }
        return images
    }

    /// Whether pictures lie in folders that are called by WordNet numbers.
    static func isSorted(_ files: any FileCollection) -> Bool {
        (0..<files.count).contains { file in
            files.path(of: file).split(separator: "/").dropLast().contains(where: ImageNetClasses.isWNID)
        }
    }

    /// ImageNet-R, `imagenet-r.tar`: renditions of 200 of the 1000 classes, with labels among the 1000.
    ///
    /// Hendrycks et al., "The Many Faces of Robustness", ICCV 2021. A classifier is to choose among
    /// ``ClassFolders/presentLabels`` only.
    /// - Throws: ``DataSetError``, ``InputError``, `ArchiveError`.
    public static func renditions(_ files: any FileCollection, classes: ImageNetClasses) throws -> ClassFolders {
        try ClassFolders(files, classes: classes.wnids, classNames: classes.names)
    }

    private static func check(_ images: ClassFolders, has count: Int, _ files: any FileCollection) throws {
        let found = images.presentLabels.count
        guard found == count else { throw DataSetError.classCount(path: files.location, found: found, expected: count) }
    }
}

/// The validation set as it is published: `ILSVRC2012_val_00000001.JPEG` and so on, with labels in the
/// development kit.
struct ImageNetValidation: ImageCollection {
    let classNames: [String]
    private let files: any FileCollection
    private let pictures: [(file: Int, name: String)]
    private let labels: [Int]

    init(_ files: any FileCollection, _ devkit: ImageNetDevkit) throws {
        self.files = files
        classNames = devkit.classes.names
        labels = devkit.validationLabels
        var byNumber: [(file: Int, name: String)?] = Array(repeating: nil, count: labels.count)
        var found = 0
        for file in 0..<files.count {
            let path = files.path(of: file)
            guard PictureFile.isPicture(path) else { continue }
            let name = String(path.split(separator: "/").last ?? "")
            guard let number = Self.number(name) else {
                throw InputError.malformedFile(
                    path: files.location, place: path, expected: "a picture's name such as ILSVRC2012_val_00000001.JPEG"
                )
            }
            guard (1...labels.count).contains(number) else {
                throw DataSetError.unknownPicture(
                    path: devkit.groundTruthPath, place: "\(labels.count) lines", picture: path)
            }
            guard byNumber[number - 1] == nil else {
                throw DataSetError.pictureListedTwice(path: files.location, place: path, picture: name)
            }
            byNumber[number - 1] = (file, name)
            found += 1
        }
        guard found == labels.count else {
            throw found == 0
                ? DataSetError.empty(path: files.location, expected: "pictures such as ILSVRC2012_val_00000001.JPEG")
                : DataSetError.pictureCount(path: files.location, found: found, expected: labels.count)
        }
        pictures = byNumber.compactMap { $0 }
    }

    /// 1 of `ILSVRC2012_val_00000001.JPEG`.
    private static func number(_ name: String) -> Int? {
        guard name.hasPrefix("ILSVRC2012_val_") else { return nil }
        let digits = name.dropFirst(15).prefix { $0 != "." }
        return digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil
    }

    var count: Int { pictures.count }
    func record(_ index: Int) -> ImageRecord { ImageRecord(id: pictures[index].name, labels: [labels[index]]) }
    func picture(_ index: Int) throws -> StoredPicture { try files.picture(pictures[index].file) }

    func place(_ index: Int) -> String { files.place(of: pictures[index].file) }
}

extension PictureSet {
    public static let imageNetTrain = PictureSet(
        "imagenet-train", folder: "imagenet", hasImageNetClasses: true,
        parts: { _ in [Part("pictures", ["ILSVRC2012_img_train.tar", "train"], "the training pictures of ImageNet")] },
        open: { LabelledPictures(try ImageNet.train($0.files("pictures"), classes: $0.imageNetClasses())) })

    /// Sorted into folders of classes, it needs no development kit.
    public static let imageNetValidation = PictureSet(
        "imagenet-val", folder: "imagenet", hasImageNetClasses: true,
        parts: { _ in
            [
                Part("pictures", ["ILSVRC2012_img_val.tar", "val"], "the validation pictures of ImageNet"),
                Part(
                    "devkit", ["ILSVRC2012_devkit_t12.tar.gz", "ILSVRC2012_devkit_t12"],
                    "the labels of ImageNet's validation set", isOptional: true),
            ]
        },
        open: { set in
            let (pictures, classes) = (try set.files("pictures"), try set.imageNetClasses())
            guard let url = set.found("devkit") else {
                guard ImageNet.isSorted(pictures) else { throw set.missing("devkit") }
                return LabelledPictures(try ImageNet.train(pictures, classes: classes))
            }
            let devkit = try ImageNetDevkit(set.files("devkit"))
            guard devkit.classes.wnids == classes.wnids else {
                throw DataSetError.classCount(
                    path: url.path, found: devkit.classes.wnids.count, expected: classes.wnids.count)
            }
            return LabelledPictures(try ImageNet.validation(pictures, devkit), classNames: classes.names)
        })

    public static let imageNetR = PictureSet(
        "imagenet-r", hasImageNetClasses: true,
        parts: { _ in [Part("pictures", ["imagenet-r.tar", "imagenet-r", "."], "the pictures of ImageNet-R")] },
        open: {
            LabelledPictures(try ImageNet.renditions($0.files("pictures"), classes: $0.imageNetClasses()))
                .amongPresentClasses()
        })
}
