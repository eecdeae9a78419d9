import Foundation
import Foundations
import Inputs
import TestSupport

/// A folder with the committed specs of a world at a small size, and what they ask for: a model of the
/// right number of layers with random weights, an ImageNet of a picture a class in folders, and
/// ImageNet-Segmentation with its seven pictures.
struct TinyWorld {
    let folder: URL
    let name: String
    /// Of the specs, in the repository and here.
    private let specFolder: String
    var specs: URL { folder.appendingPathComponent(specFolder) }
    var results: URL { folder.appendingPathComponent("results") }
    private var train: URL { folder.appendingPathComponent("data/imagenet/train") }
    private var validation: URL { folder.appendingPathComponent("data/imagenet/val") }

    /// - Parameters:
    ///   - name: of the world, `vit-b-32`.
    ///   - part: folder of its specs below the world's.
    ///   - layers: of the model's towers.
    init(_ name: String, specs part: String? = nil, layers: Int) throws {
        self.name = name
        specFolder = (["experiments", name] + (part.map { [$0] } ?? [])).joined(separator: "/")
        folder = try ProcessFolder.make()
        let manager = FileManager.default
        for parent in ["models", "experiments"] {
            try manager.createDirectory(at: folder.appendingPathComponent(parent), withIntermediateDirectories: true)
        }
        for path in ["datasets.manifest", "models/prompts", "models/clip-bpe", "experiments/papers"] {
            try manager.copyItem(
                at: RunnerProcess.repository.appendingPathComponent(path), to: folder.appendingPathComponent(path))
        }
        try copySpecs()
        let model = try TinyModelFolder(layers: layers)
        try manager.createDirectory(at: folder.appendingPathComponent("data"), withIntermediateDirectories: true)
        try manager.moveItem(at: model.url, to: folder.appendingPathComponent("data/openai-\(name)"))
        try makePictures()
        let masks = folder.appendingPathComponent("data/imagenet-segmentation")
        try manager.createDirectory(at: masks, withIntermediateDirectories: true)
        try manager.copyItem(
            at: RunnerProcess.repository.appendingPathComponent("Tests/InputsTests/Fixtures/datasets/gtsegs_ijcv.mat"),
            to: masks.appendingPathComponent("gtsegs_ijcv.mat"))
        let pool = folder.appendingPathComponent("data/second-order-words/30k.txt")
        try manager.createDirectory(at: pool.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(SmallSpecs.pool.utf8).write(to: pool)
    }

    /// What is smaller than in the committed specs, and nothing else.
    private static let smaller = [
        ("sample: {every: 250}", "sample: {every: 20}"), ("sample: {every: 10}", "sample: {every: 33}"),
        ("significant-images: 100", "significant-images: 10"), ("neurons: 64, images: 500", "neurons: 2, images: 20"),
        ("sizes: [4, 8, 16, 32, 64, 128]", "sizes: [4, 8]"), ("size: 16", "size: 4"), ("size: 128", "size: 4"),
        ("held-out-images: 1000", "held-out-images: 20"), ("neurons: 200", "neurons: 5"),
        ("neurons: 100", "neurons: 3"),
        ("neurons: [10, 20, 50, 100, 200, 400]", "neurons: [2, 5]"), ("images: 500", "images: 4"),
        ("overlays: 20", "overlays: 2"),
        ("images: 1000", "images: 10"), ("rank: 80", "rank: 4"), ("texts-a-head: 20", "texts-a-head: 5"),
        ("phrases: 10", "phrases: 3"), ("phrases: 25", "phrases: 5"),
        ("heads-in-table: 18", "heads-in-table: 2"), ("input-size: 224", "input-size: 8"),
        ("input-size: 448", "input-size: 16"),
        ("input-sizes: [224, 336, 448]", "input-sizes: [8, 16]"), ("images: 300", "images: 2"),
        ("depths: [1, 2, 3, 4, 5, 6, 8, 10, 12]", "depths: [1, 12]"),
        ("depths: [1, 2, 4, 6, 8, 12, 18, 24]", "depths: [6, 24]"),
    ]

    private func copySpecs() throws {
        let source = RunnerProcess.repository.appendingPathComponent(specFolder)
        try FileManager.default.createDirectory(at: specs, withIntermediateDirectories: true)
        for file in try FileManager.default.contentsOfDirectory(atPath: source.path) where file.hasSuffix(".yaml") {
            var text = try String(contentsOf: source.appendingPathComponent(file), encoding: .utf8)
            for (from, to) in Self.smaller { text = text.replacing(from, with: to) }
            // Random weights classify at chance.
            text = text.replacing(/accuracy-floor: [0-9.]+/, with: "accuracy-floor: 0")
            text = text.replacing(/command: \[[^\]]*\]/, with: "command: [/bin/cat]")
            try Data(text.utf8).write(to: specs.appendingPathComponent(file))
        }
    }

    /// A picture of noise for each of ImageNet's classes, in both sets.
    private func makePictures() throws {
        let wnids = try String(
            contentsOf: folder.appendingPathComponent("models/prompts/imagenet-wnids.txt"), encoding: .utf8
        )
        .split(separator: "\n")
        var random = SplitMix64(seed: 3)
        for wnid in wnids {
            for (set, name) in [(train, "\(wnid)_1.png"), (validation, "val_\(wnid).png")] {
                let target = set.appendingPathComponent(String(wnid))
                try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
                let pixels = (0..<12 * 10 * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                try RGBImage(width: 12, height: 10, pixels: pixels).png(for: name).write(
                    to: target.appendingPathComponent(name))
            }
        }
    }

    /// - Parameter names: of spec files.
    func arguments(_ names: [String], _ extra: [String] = []) -> [String] {
        names.flatMap { ["--spec", specs.appendingPathComponent($0 + ".yaml").path] }
            + ["--results", results.path, "--manifest", folder.appendingPathComponent("datasets.manifest").path] + extra
    }

    func edit(_ spec: String, _ from: String, _ to: String) throws {
        let url = specs.appendingPathComponent(spec + ".yaml")
        let text = try String(contentsOf: url, encoding: .utf8)
        try Data(text.replacing(from, with: to).utf8).write(to: url)
    }

    func result(_ name: String) throws -> String {
        try String(contentsOf: results.appendingPathComponent(name), encoding: .utf8)
    }

    /// The validation picture of a class, cut in the middle.
    func cutPicture(_ wnid: String) throws {
        let url = validation.appendingPathComponent("\(wnid)/val_\(wnid).png")
        let bytes = try Data(contentsOf: url)
        try bytes.prefix(bytes.count / 2).write(to: url)
    }
}
