import Archives
import Pickle

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

/// The four forms in which CIFAR is published.
enum CIFARVersion: CaseIterable {
    case python10, binary10, python100, binary100

    /// The version that an archive or folder holds.
    /// - Throws: ``DataSetError/empty(path:expected:)``.
    init(_ files: any FileCollection) throws {
        let names = Set((0..<files.count).map { files.path(of: $0).split(separator: "/").last.map(String.init) ?? "" })
        let version = Self.allCases.first { names.isSuperset(of: [$0.names] + $0.parts(.train) + $0.parts(.test)) }
        guard let version else {
            throw DataSetError.empty(
                path: files.location,
                expected:
                    "CIFAR's names and pictures, such as batches.meta, data_batch_1 to data_batch_5 and test_batch")
        }
        self = version
    }

    var kind: CIFAR.Kind { self == .python10 || self == .binary10 ? .cifar10 : .cifar100 }

    /// The file with the classes' names.
    var names: String {
        switch self {
        case .python10: "batches.meta"
        case .binary10: "batches.meta.txt"
        case .python100: "meta"
        case .binary100: "fine_label_names.txt"
        }
    }

    func parts(_ split: CIFAR.Split) -> [String] {
        switch self {
        case .python10: split == .train ? (1...5).map { "data_batch_\($0)" } : ["test_batch"]
        case .binary10: split == .train ? (1...5).map { "data_batch_\($0).bin" } : ["test_batch.bin"]
        case .python100: [split.rawValue]
        case .binary100: ["\(split.rawValue).bin"]
        }
    }

    func classNames(_ bytes: [UInt8], path: String) throws -> [String] {
        switch self {
        case .python10, .python100:
            let key = self == .python10 ? "label_names" : "fine_label_names"
            let names = try unpickled(bytes, path: path)[key]?.elements?.map(\.string)
            guard let names, !names.contains(nil) else {
                throw InputError.malformedFile(path: path, place: key, expected: "a list of names")
            }
            return names.compactMap { $0 }
        case .binary10, .binary100:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw InputError.malformedFile(path: path, place: "whole file", expected: "UTF-8 text")
            }
            return TextLine.lines(of: text).map { String($0.text) }
        }
    }

    /// - Returns: labels, and pixels // [count, 3, 32, 32]
    func batch(_ bytes: [UInt8], path: String) throws -> (labels: [Int], pixels: [UInt8]) {
        switch self {
        case .python10, .python100: try pickledBatch(bytes, path: path)
        case .binary10: try binaryBatch(bytes, labelBytes: 1, path: path)
        // The coarse label stands in front of the fine one.
        case .binary100: try binaryBatch(bytes, labelBytes: 2, path: path)
        }
    }

    private func binaryBatch(_ bytes: [UInt8], labelBytes: Int, path: String) throws -> (labels: [Int], pixels: [UInt8])
    {
        let record = labelBytes + CIFAR.pictureBytes
        guard bytes.count % record == 0 else {
            throw InputError.malformedFile(
                path: path, place: "byte \(bytes.count / record * record)", expected: "records of \(record) bytes")
        }
        var labels: [Int] = []
        var pixels: [UInt8] = []
        pixels.reserveCapacity(bytes.count)
        for start in stride(from: 0, to: bytes.count, by: record) {
            labels.append(Int(bytes[start + labelBytes - 1]))
            pixels += bytes[start + labelBytes..<start + record]
        }
        return (labels, pixels)
    }

    private func pickledBatch(_ bytes: [UInt8], path: String) throws -> (labels: [Int], pixels: [UInt8]) {
        let batch = try unpickled(bytes, path: path)
        let key = self == .python10 ? "labels" : "fine_labels"
        guard let labels = batch[key]?.elements?.compactMap(\.int) else {
            throw InputError.malformedFile(path: path, place: key, expected: "a list of labels")
        }
        guard let data = batch["data"].flatMap({ NumpyArray($0) }), data.type == "u1", !data.isFortranOrder,
            data.shape.count == 2, data.shape[1] == CIFAR.pictureBytes
        else {
            throw InputError.malformedFile(
                path: path, place: "data", expected: "an array of bytes, pictures × \(CIFAR.pictureBytes)")
        }
        guard labels.count == data.shape[0] else {
            throw DataSetError.pictureCount(path: path, found: data.shape[0], expected: labels.count)
        }
        return (labels, data.bytes)
    }

    private func unpickled(_ bytes: [UInt8], path: String) throws -> PickleValue {
        do {
            return try Unpickler.read(bytes, vocabulary: .numpy, limits: PickleLimits(bytes: 512 << 20)).value
        } catch let error as PickleError {
            throw DataSetError.unreadablePickle(path: path, error)
        }
    }
}
