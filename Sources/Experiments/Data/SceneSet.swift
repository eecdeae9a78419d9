import Foundation
import Inputs
import Pipeline
import Safetensors

/// The pictures of one split with their ground truth, in memory as bytes.
public struct SceneSet: Artefact {
    /// 8-bit RGB. // [count, size, size, 3]
    public let pixels: Data
    /// Object of each pixel: 0 background, 1 main, 2 second. // [count, size, size]
    public let masks: Data
    /// Concept of the main object. // [count]
    public let labels: [Int32]
    /// Concept of the second object, −1 for none. // [count]
    public let secondLabels: [Int32]
    public let captions: [String]
    public let imageSize: Int

    public var count: Int { labels.count }
    private var imageBytes: Int { imageSize * imageSize * 3 }

    public init(_ scenes: [EmojiScene], imageSize: Int) {
        var (pixels, masks) = (Data(), Data())
        for scene in scenes {
            pixels.append(contentsOf: scene.image.pixels)
            masks.append(contentsOf: scene.mask)
        }
        self.pixels = pixels
        self.masks = masks
        labels = scenes.map { Int32($0.label) }
        secondLabels = scenes.map { Int32($0.secondLabel ?? -1) }
        captions = scenes.map(\.caption)
        self.imageSize = imageSize
    }

    /// Joins the parts in their order.
    init(joining parts: [SceneSet], imageSize: Int) {
        pixels = parts.reduce(into: Data()) { $0.append($1.pixels) }
        masks = parts.reduce(into: Data()) { $0.append($1.masks) }
        labels = parts.flatMap(\.labels)
        secondLabels = parts.flatMap(\.secondLabels)
        captions = parts.flatMap(\.captions)
        self.imageSize = imageSize
    }

    /// What the manifest states: pixels, then labels, second labels (little-endian Int32) and masks.
    public var digest: String {
        func bytes(_ values: [Int32]) -> Data {
            values.reduce(into: Data()) { data, value in
                withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
            }
        }
        return ContentDigest.sha256([pixels, bytes(labels), bytes(secondLabels), masks])
    }

    /// Digest of one image's pixels: its identity, wherever it stands.
    public func imageDigest(_ index: Int) -> String {
        ContentDigest.sha256(pixels.dropFirst(index * imageBytes).prefix(imageBytes))
    }

    /// One image.
    func image(_ index: Int) -> RGBImage {
        RGBImage(
            width: imageSize, height: imageSize,
            pixels: Array(pixels.dropFirst(index * imageBytes).prefix(imageBytes)))
    }

    /// Object of each pixel of one image: 0 background, 1 main, 2 second. // [size, size]
    func mask(_ index: Int) -> [UInt8] {
        Array(masks.dropFirst(index * imageSize * imageSize).prefix(imageSize * imageSize))
    }

    /// Calls `body` with the first of a run of images. // [images, size, size, 3]
    func withImages(from first: Int, _ body: (UnsafePointer<UInt8>) throws -> Void) rethrows {
        try pixels.withUnsafeBytes { bytes in
            guard let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
            try body(base + first * imageBytes)
        }
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
        labels = try stored.tensor("labels").int32s()
        secondLabels = try stored.tensor("second-labels").int32s()
        captions = (stored.metadata("captions") ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    public func stored() throws -> StoredArtefact {
        .tensors(
            [
                "pixels": try StoredTensor(type: .uint8, shape: [count, imageSize, imageSize, 3], data: pixels),
                "masks": try StoredTensor(type: .uint8, shape: [count, imageSize, imageSize], data: masks),
                "labels": try StoredTensor(labels, shape: [count]),
                "second-labels": try StoredTensor(secondLabels, shape: [count]),
            ], metadata: ["captions": captions.joined(separator: "\n")])
    }
}
