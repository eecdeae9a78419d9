import Archives

/// CIFAR-10 and CIFAR-100: pictures of 32 × 32 pixels, in memory, from the Python or the binary version.
///
/// Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and its page's description of
/// both versions. A picture is 1024 bytes red, 1024 green, 1024 blue, row by row. CIFAR-100's labels are
/// the fine ones.
public struct CIFAR: ImageCollection {
    public enum Kind: Int, Sendable {
        case cifar10 = 10
        case cifar100 = 100
    }

    public enum Split: String, Sendable, CaseIterable {
        case train, test
    }

    public let kind: Kind
    public let classNames: [String]
    private let split: Split
    private let labels: [UInt8]
    /// // [count, 3, 32, 32]
    private let pixels: [UInt8]

    static let side = 32
    static let pictureBytes = 3 * side * side
    /// More bytes than a file of 50 000 pictures has in any version.
    private static let fileBytes = 512 << 20

    /// - Parameter files: `cifar-10-python.tar.gz`, `cifar-100-binary.tar.gz` and so on, or their folders.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    public init(_ files: any FileCollection, split: Split) throws {
        let version = try CIFARVersion(files)
        let tree = try FileTree(files, landmark: version.names, purpose: "the names of CIFAR's classes")
        let parts = version.parts(split)
        let names = try tree.index(version.names, purpose: "the names of CIFAR's classes")
        let places = try parts.map { try tree.index($0, purpose: "the pictures of CIFAR") }
        // One pass: both versions are published as compressed tars.
        let contents = try files.contents(of: places + [names], limit: Self.fileBytes)
        classNames = try version.classNames(contents[names] ?? [], path: tree.place(version.names))
        guard classNames.count == version.kind.rawValue else {
            throw DataSetError.classCount(
                path: tree.place(version.names), found: classNames.count, expected: version.kind.rawValue)
        }
        var labels: [UInt8] = []
        var pixels: [UInt8] = []
        for (part, place) in zip(parts, places) {
            let path = tree.place(part)
            let batch = try version.batch(contents[place] ?? [], path: path)
            for (index, label) in batch.labels.enumerated() {
                guard label >= 0, label < classNames.count else {
                    throw DataSetError.labelOutOfRange(
                        path: path, place: "picture \(index)", label: label, classes: classNames.count)
                }
                labels.append(UInt8(label))
            }
            pixels += batch.pixels
        }
        guard !labels.isEmpty else { throw DataSetError.empty(path: files.location, expected: "pictures") }
        (kind, self.split, self.labels, self.pixels) = (version.kind, split, labels, pixels)
    }

    public var count: Int { labels.count }

    public func record(_ index: Int) -> ImageRecord {
        ImageRecord(id: "\(split.rawValue)/\(index)", labels: [Int(labels[index])])
    }

    public func picture(_ index: Int) throws -> StoredPicture {
        let start = index * Self.pictureBytes
        let plane = Self.side * Self.side
        let colours = (0..<Self.pictureBytes).map { pixels[start + $0 % 3 * plane + $0 / 3] }
        return .pixels(RGBImage(width: Self.side, height: Self.side, pixels: colours))
    }
}

extension PictureSet {
    public static let cifar10 = cifar(
        "cifar-10", title: "CIFAR-10", folders: ["cifar-10-batches-bin", "cifar-10-batches-py"])
    public static let cifar100 = cifar(
        "cifar-100", title: "CIFAR-100", folders: ["cifar-100-binary", "cifar-100-python"])

    private static func cifar(_ name: String, title: String, folders: [String]) -> PictureSet {
        PictureSet(
            name, splits: ["train", "test"],
            parts: { _ in
                [
                    Part(
                        "pictures", ["\(name)-binary.tar.gz", "\(name)-python.tar.gz"] + folders + ["."],
                        "the pictures of \(title)")
                ]
            },
            open: { LabelledPictures(try CIFAR($0.files("pictures"), split: CIFAR.Split(rawValue: $0.split) ?? .test)) }
        )
    }
}
