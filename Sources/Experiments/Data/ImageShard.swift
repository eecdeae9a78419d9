import Foundation
import Foundations
import Inputs
import Pipeline

/// A run of pictures of one set as the model sees them, with what is known of each.
struct ImageShard: ColumnTable, Equatable {
    /// 8-bit RGB. // [count, size, size, 3]
    private(set) var pixels = Data()
    /// What each pixel shows: 0 background, k the image's k-th object, 255 what does not count; empty for pictures
    /// without masks. // [count, size, size]
    private(set) var masks = Data()
    private(set) var facts = ImageFacts()
    private(set) var imageSize = 0

    var count: Int { facts.labels.count }
    private var imageBytes: Int { imageSize * imageSize * 3 }

    static let columns: [Column<Self>] = [
        .shared("image-size", \.imageSize),
        .bytes("pixels", \.pixels) { [$0.imageSize, $0.imageSize, 3] },
        .bytes("masks", \.masks, of: "masks") { [$0.imageSize, $0.imageSize] },
        .table("", \.facts),
    ]

    init() {}
    /// No images.
    init(imageSize: Int) { self.imageSize = imageSize }

    func check() throws {
        guard masks.isEmpty || masks.count == count * imageSize * imageSize else {
            throw PipelineError.invalidArtefact(part: "masks", reason: "\(masks.count) bytes for \(count) images")
        }
    }

    init(_ scenes: [EmojiScene], imageSize: Int) {
        self.init(imageSize: imageSize)
        for scene in scenes {
            append(
                scene.image, mask: scene.mask, label: scene.label,
                objects: [scene.label, scene.secondLabel].compactMap { $0 }, caption: scene.caption)
        }
    }

    /// Adds an image of the shard's size; all have masks, or none.
    mutating func append(_ image: RGBImage, mask: [UInt8]?, label: Int?, objects: [Int], caption: String = "") {
        pixels.append(contentsOf: image.pixels)
        if let mask { masks.append(contentsOf: mask) }
        facts.append(
            label: Int32(label ?? -1), objects: objects.map { Int32($0) }, caption: caption,
            digest: Digest.sha256(of: Data(image.pixels)))
    }

    /// Adds an image that stands in another shard in another size.
    mutating func append(_ image: RGBImage, mask: [UInt8], facts: ImageFacts.One) {
        append(
            image, mask: mask, label: facts.label >= 0 ? Int(facts.label) : nil, objects: facts.objects.map(Int.init),
            caption: facts.caption)
    }

    /// One image.
    func image(_ index: Int) -> RGBImage {
        RGBImage(
            width: imageSize, height: imageSize,
            pixels: Array(pixels.dropFirst(index * imageBytes).prefix(imageBytes)))
    }

    /// What each pixel of one image shows. // [size, size]
    /// - Precondition: the images have masks.
    func mask(_ index: Int) -> [UInt8] {
        Array(masks.dropFirst(index * imageSize * imageSize).prefix(imageSize * imageSize))
    }

    /// The bytes of a run of images. // [images, size, size, 3]
    func pixels(of images: Range<Int>) -> Data {
        pixels.dropFirst(images.lowerBound * imageBytes).prefix(images.count * imageBytes)
    }
}

/// What is known of the images of a set, without their pixels.
struct ImageFacts: ColumnTable, Equatable {
    /// Class of the image, or of its main object; −1 where there is no one class. // [count]
    private(set) var labels: [Int32] = []
    /// Classes of all objects that an image shows, the main one first; −1 for one that is none of the classes.
    /// A mask's number k is the k-th. // [count][objects]
    private(set) var objects: [[Int32]] = []
    private(set) var captions: [String] = []
    /// Digest of each image's pixels: its identity, wherever it stands. // [count]
    private(set) var digests: [String] = []

    var count: Int { labels.count }

    static let columns: [Column<Self>] = [
        .rows("labels", \.labels), .lists("objects", \.objects), .texts("captions", \.captions),
        .texts("digests", \.digests),
    ]

    /// Those of one image.
    struct One {
        let label: Int32
        let objects: [Int32]
        let caption: String
    }

    subscript(_ index: Int) -> One { One(label: labels[index], objects: objects[index], caption: captions[index]) }

    /// Adds one image.
    mutating func append(label: Int32, objects: [Int32], caption: String, digest: String) {
        labels.append(label)
        self.objects.append(objects)
        captions.append(caption)
        digests.append(digest)
    }
}
