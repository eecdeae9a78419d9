import CLIPModel
import Foundation
import Safetensors
import TestSupport
import Testing

/// Model folders from strangers: complete ones open, every other one gives an error that names the file
/// and the place.
@Suite struct CheckpointTests {
    let folder: TinyModelFolder

    init() throws { folder = try TinyModelFolder() }

    @Test func aCompleteFolderOpens() throws {
        let clip = try CLIP(folder: folder.url)
        #expect(clip.vision.blocks.count == 2)
        #expect(clip.vision.tokens == 5)
        let image = clip.embed(images: [UInt8](repeating: 100, count: 8 * 8 * 3))
        #expect(image.shape == [1, 6])
        #expect(abs(image.elements.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        #expect(clip.embed(texts: ["a dog", ""]).shape == [2, 6])
    }

    @Test func halfPrecisionWeightsOpen() throws {
        // 1.0 in fp16 and bf16.
        try folder.writeWeights { tensors in
            tensors["logit_scale"] = try StoredTensor(type: .float16, shape: [], data: Data([0x00, 0x3C]))
            tensors["vision_model.embeddings.class_embedding"] = try StoredTensor(
                type: .bfloat16, shape: [8],
                data: Data([UInt8](repeating: 0, count: 16).enumerated().map { $0.offset % 2 == 0 ? 0x80 : 0x3F }))
        }
        let clip = try CLIP(folder: folder.url)
        #expect(clip.logitScale == 1)
        #expect(clip.vision.classEmbedding == [Float](repeating: 1, count: 8))
    }

    @Test func missingFolderAndFiles() throws {
        let nowhere = folder.url.appendingPathComponent("nowhere")
        #expect(throws: CheckpointError.missingFolder(path: nowhere.path)) { try CLIP(folder: nowhere) }
        let configuration = folder.url.appendingPathComponent("config.json")
        let kept = try Data(contentsOf: configuration)
        try FileManager.default.removeItem(at: configuration)
        #expect(throws: ConfigurationError.missingFile(path: configuration.path)) { try CLIP(folder: folder.weights) }
        try kept.write(to: configuration)
        try FileManager.default.removeItem(at: folder.weights)
        #expect(throws: CheckpointError.missingWeights(path: folder.url.path, expected: "model.safetensors")) {
            try CLIP(folder: folder.url)
        }
    }

    @Test(arguments: [0, 1, 7, 8, 9, 100, 5000])
    func truncatedWeights(length: Int) throws {
        let data = try Data(contentsOf: folder.weights)
        try data.prefix(length).write(to: folder.weights)
        #expect(throws: SafetensorsError.self) { try CLIP(folder: folder.url) }
        try data.dropLast().write(to: folder.weights)
        #expect(throws: SafetensorsError.self) { try CLIP(folder: folder.url) }
    }

    @Test func aHeaderThatClaimsMoreThanTheFileHolds() throws {
        var data = try Data(contentsOf: folder.weights)
        data.replaceSubrange(0..<8, with: [255, 255, 255, 0, 0, 0, 0, 0])
        try data.write(to: folder.weights)
        #expect(throws: SafetensorsError.self) { try CLIP(folder: folder.url) }
    }

    @Test func foreignFile() throws {
        try Data("PK\u{3}\u{4} this is a zip archive, not tensors".utf8).write(to: folder.weights)
        #expect(throws: SafetensorsError.self) { try CLIP(folder: folder.url) }
    }

    @Test func missingUnexpectedAndMisshapenTensorsAreNamed() throws {
        try folder.writeWeights { tensors in
            tensors["visual_projection.weight"] = nil
            tensors["adapter.weight"] = try StoredTensor([Float](repeating: 1, count: 2), shape: [2])
            tensors["vision_model.post_layernorm.bias"] = try StoredTensor([Float](repeating: 0, count: 9), shape: [9])
        }
        #expect(
            throws: ConfigurationError.parametersDisagree(
                path: folder.weights.path, missing: ["visual_projection.weight"], unexpected: ["adapter.weight"],
                mismatched: [.init(name: "vision_model.post_layernorm.bias", expected: [8], found: [9])])
        ) { try CLIP(folder: folder.url) }
    }

    @Test func integersAreNoWeights() throws {
        try folder.writeWeights { tensors in
            tensors["vision_model.post_layernorm.bias"] = try StoredTensor([Int32](repeating: 0, count: 8), shape: [8])
        }
        #expect(
            throws: CheckpointError.unsupportedType(
                path: folder.weights.path, tensor: "vision_model.post_layernorm.bias", found: "I32")
        ) { try CLIP(folder: folder.url) }
    }

    @Test(arguments: [Float.nan, .infinity])
    func weightsThatAreNotFinite(value: Float) throws {
        try folder.writeWeights { tensors in
            var bias = [Float](repeating: 0, count: 8)
            bias[3] = value
            tensors["vision_model.post_layernorm.bias"] = try StoredTensor(bias, shape: [8])
        }
        #expect(
            throws: CheckpointError.notFinite(
                path: folder.weights.path, tensor: "vision_model.post_layernorm.bias", index: 3)
        ) { try CLIP(folder: folder.url) }
    }
}
