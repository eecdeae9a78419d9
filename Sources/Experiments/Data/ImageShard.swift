import Foundation
import Foundations
import Inputs
import Pipeline
import Safetensors

/// A run of pictures of one set as the model sees them, with what is known of each.
public struct ImageShard: Artefact, Equatable {
    /// 8-bit RGB. // [count, size, size, 3]
    public private(set) var pixels = Data()
    /// What each pixel shows: 0 background, k the image's k-th object, 255 what does not count; empty for pictures
    /// without masks. // [count, size, size]
    public private(set) var masks = Data()
    public private(set) var facts = ImageFacts()
    public let imageSize: Int

    public var count: Int { facts.labels.count }
    private var imageBytes: Int { imageSize * imageSize * 3 }

    /// No images.
    init(imageSize: Int) { self.imageSize = imageSize }

    public init(_ scenes: [EmojiScene], imageSize: Int) {
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

    // MARK: Artefact

    public init(_ stored: StoredArtefact) throws {
        let pixels = try stored.tensor("pixels")
        guard pixels.shape.count == 4, pixels.type == .uint8 else {
            throw PipelineError.invalidArtefact(part: "pixels", reason: "shape \(pixels.shape)")
        }
        imageSize = pixels.shape[1]
        self.pixels = pixels.data
        masks = try stored.tensor("masks").data
        facts = try ImageFacts(stored)
    }

    public func stored() throws -> StoredArtefact {
        guard case .tensors(var tensors, let metadata) = try facts.stored() else {
            throw PipelineError.wrongArtefactForm(wanted: "tensors")
        }
        tensors["pixels"] = try StoredTensor(type: .uint8, shape: [count, imageSize, imageSize, 3], data: pixels)
        tensors["masks"] = try StoredTensor(
            type: .uint8, shape: [masks.isEmpty ? 0 : count, imageSize, imageSize], data: masks)
        return .tensors(tensors, metadata: metadata)
    }
}
