import Foundation
import Foundations

/// The pictures of one split with their labels, read where they lie.
///
/// Opening a collection reads its annotations and checks them against each other and against the names
/// of the stored files; pictures and masks are read when they are asked for, from any thread.
public protocol ImageCollection: Sendable {
    /// In label order: label `l` of a picture, and label `l + 1` of a mask, is called `classNames[l]`.
    var classNames: [String] { get }
    var count: Int { get }
    /// - Precondition: `index` is in `0..<count`.
    func record(_ index: Int) -> ImageRecord
    /// - Throws: ``InputError`` and what reading the file throws.
    func picture(_ index: Int) throws -> StoredPicture
    /// Where a picture lies, as errors call it: the archive or folder, and the file in it.
    func place(_ index: Int) -> String
}

extension ImageCollection {
    /// Pictures that are no files of their own are called by their ids.
    public func place(_ index: Int) -> String { record(index).id }
}

/// Pictures of which each pixel is labelled.
public protocol SegmentedImages: ImageCollection {
    /// - Throws: ``DataSetError`` for a mask with a label out of range or of another size than its picture,
    ///   ``InputError`` for one that cannot be read.
    func mask(_ index: Int) throws -> LabelMask
}

/// What is known of a picture without reading it.
public struct ImageRecord: Sendable, Equatable {
    /// Unique in its collection and the same on every machine: the path of the picture in the set, or
    /// where pictures are no files of their own, the name or number that the set gives them.
    public var id: String
    /// The classes that the picture shows, ascending. One in a set for classification, any number in one
    /// for detection or segmentation, none where the set says nothing.
    public var labels: [Int]
    /// Classes that only objects marked as difficult show (Pascal VOC): neither right nor wrong.
    public var uncertainLabels: [Int]

    public init(id: String, labels: [Int], uncertainLabels: [Int] = []) {
        self.id = id
        self.labels = labels
        self.uncertainLabels = uncertainLabels
    }

    /// The class of a picture that has exactly one.
    public var label: Int? { labels.count == 1 ? labels[0] : nil }
}

/// A picture as its set stores it.
public enum StoredPicture: Sendable, Equatable {
    /// The bytes of a JPEG or PNG file; which of them, its first bytes say.
    case encoded(Data)
    case pixels(RGBImage)
}

extension StoredPicture {
    /// SHA-256 of the file, or of size and pixels.
    var digest: String {
        switch self {
        case .encoded(let bytes): Digest.sha256(of: bytes)
        case .pixels(let image): Digest.sha256(of: [Data("\(image.width)×\(image.height)".utf8), Data(image.pixels)])
        }
    }
}

/// Which pictures of a collection are taken, always in the collection's own order.
public enum ImageSampling: Sendable, Hashable, Codable {
    case all
    /// Pictures 0, k, 2k, …, as many as k goes into the set, so that each stands for k: the second-order paper's fit images are
    /// the 5124 of every 250 in ImageNet's training set.
    case every(Int)
    case first(Int)
    /// Different pictures chosen by a seed, the same on every machine.
    case random(Int, seed: UInt64)

    /// Indices of `0..<count`, ascending.
    /// - Throws: ``InputError/outOfRange(what:value:allowed:)`` for a number below 1,
    ///   ``InputError/sampleTooLarge(wanted:available:)``, ``InputError/sampleTooSparse(every:of:)`` where none is left.
    public func indices(of count: Int) throws -> [Int] {
        func check(_ what: String, _ value: Int) throws {
            guard value >= 1 else { throw InputError.outOfRange(what: what, value: value, allowed: 1...Int.max) }
        }
        func checkSize(_ wanted: Int) throws {
            try check("the size of a sample", wanted)
            guard wanted <= count else { throw InputError.sampleTooLarge(wanted: wanted, available: count) }
        }
        switch self {
        case .all:
            return Array(0..<count)
        case .every(let step):
            try check("the step of a sample", step)
            guard step <= count else { throw InputError.sampleTooSparse(every: step, of: count) }
            return (0..<count / step).map { $0 * step }
        case .first(let wanted):
            try checkSize(wanted)
            return Array(0..<wanted)
        case .random(let wanted, let seed):
            try checkSize(wanted)
            var generator = SplitMix64(seed: seed, label: "image sample", index: 0)
            return generator.sample(wanted, of: count).sorted()
        }
    }
}
