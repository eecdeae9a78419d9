import Foundation
import Inputs
import Pipeline
import Safetensors

/// A run of pictures of one set as the model sees them, with what is known of each.
public struct ImageShard: Artefact, Equatable {
    /// 8-bit RGB. // [count, size, size, 3]
    public let pixels: Data
    /// What each pixel shows; of a scene 0 background, 1 main object, 2 second. // [count, size, size]
    public let masks: Data
    public let facts: ImageFacts
    public let imageSize: Int

    public var count: Int { facts.labels.count }
    private var imageBytes: Int { imageSize * imageSize * 3 }

    public init(_ scenes: [EmojiScene], imageSize: Int) {
        var (pixels, masks) = (Data(), Data())
        for scene in scenes {
            pixels.append(contentsOf: scene.image.pixels)
            masks.append(contentsOf: scene.mask)
        }
        self.pixels = pixels
        self.masks = masks
        self.imageSize = imageSize
        facts = ImageFacts(
            labels: scenes.map { Int32($0.label) }, secondLabels: scenes.map { Int32($0.secondLabel ?? -1) },
            captions: scenes.map(\.caption), digests: scenes.map { ContentDigest.sha256(Data($0.image.pixels)) })
    }

    /// One image.
    func image(_ index: Int) -> RGBImage {
        RGBImage(
            width: imageSize, height: imageSize,
            pixels: Array(pixels.dropFirst(index * imageBytes).prefix(imageBytes)))
    }

    /// What each pixel of one image shows. // [size, size]
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
        tensors["masks"] = try StoredTensor(type: .uint8, shape: [count, imageSize, imageSize], data: masks)
        return .tensors(tensors, metadata: metadata)
    }
}
