@testable import CLIPModel
import Foundation
import TestSupport
import Testing

/// Which file of a folder is the model, from the names alone.
@Suite struct ModelFilesTests {
    func folder(_ names: [String]) throws -> TemporaryFolder {
        try TemporaryFolder(Dictionary(uniqueKeysWithValues: names.map { ($0, Data()) }))
    }

    @Test(
        arguments: [
            (["config.json", "model.safetensors"], "model.safetensors", ModelFormat.huggingFace),
            (["config.json", "model.safetensors", "pytorch_model.bin"], "model.safetensors", .huggingFace),
            (["config.json", "pytorch_model.bin", "optimizer.pt", "scheduler.pt"], "pytorch_model.bin", .huggingFace),
            (["config.json", "model.safetensors.index.json"], "model.safetensors.index.json", .huggingFace),
            (["config.json", "pytorch_model.bin.index.json"], "pytorch_model.bin.index.json", .huggingFace),
            // A configuration without its weights is no second model.
            (["config.json", "model.safetensors", "open_clip_config.json"], "model.safetensors", .huggingFace),
            (
                ["config.json", "open_clip_config.json", "open_clip_model.safetensors"], "open_clip_model.safetensors",
                .openCLIP
            ),
            (
                ["open_clip_config.json", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"],
                "open_clip_model.safetensors", .openCLIP
            ),
            (
                ["open_clip_config.json", "open_clip_pytorch_model.bin", "README.md"], "open_clip_pytorch_model.bin",
                .openCLIP
            ),
            (["ViT-B-32.pt"], "ViT-B-32.pt", nil),
            (["open_clip_config.json", "epoch_32.pt"], "epoch_32.pt", nil),
        ] as [([String], String, ModelFormat?)])
    func oneModel(names: [String], weights: String, format: ModelFormat?) throws {
        let folder = try folder(names)
        let files = try ModelFiles(at: folder.url)
        #expect(files.weights.path == folder.path(weights))
        #expect(files.format == format)
        #expect(files.folder.path == folder.url.path)
        // A file is itself, whatever lies beside it.
        #expect(try ModelFiles(at: URL(fileURLWithPath: folder.path(weights))).format == nil)
    }

    @Test(arguments: [
        (
            ["config.json", "model.safetensors", "open_clip_config.json", "open_clip_model.safetensors"],
            ["model.safetensors", "open_clip_model.safetensors"]
        ),
        (["config.json", "model.safetensors", "ViT-B-32.pt"], ["model.safetensors", "ViT-B-32.pt"]),
        (["open_clip_model.safetensors", "ViT-B-32.pt"], ["open_clip_model.safetensors", "ViT-B-32.pt"]),
        (["ViT-L-14.pt", "ViT-B-32.pt"], ["ViT-B-32.pt", "ViT-L-14.pt"]),
        (
            ["config.json", "model.safetensors", "model.safetensors.index.json"],
            ["model.safetensors", "model.safetensors.index.json"]
        ),
        (
            ["config.json", "pytorch_model.bin", "model.safetensors.index.json"],
            ["pytorch_model.bin", "model.safetensors.index.json"]
        ),
    ]) func severalModels(names: [String], weights: [String]) throws {
        let folder = try folder(names)
        #expect(throws: CheckpointError.ambiguousFolder(path: folder.url.path, files: weights)) {
            try ModelFiles(at: folder.url)
        }
    }

    @Test(arguments: [
        (["config.json"], "model.safetensors"),
        (["open_clip_config.json", "vocab.json"], "open_clip_model.safetensors"),
        (["README.md"], "model.safetensors, open_clip_model.safetensors or *.pt"),
    ]) func noModel(names: [String], expected: String) throws {
        let folder = try folder(names)
        #expect(throws: CheckpointError.missingWeights(path: folder.url.path, expected: expected)) {
            try ModelFiles(at: folder.url)
        }
    }

    @Test func nothing() throws {
        let path = try folder([]).path("nowhere")
        #expect(throws: CheckpointError.missingFolder(path: path)) { try ModelFiles(at: URL(fileURLWithPath: path)) }
    }
}
