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
