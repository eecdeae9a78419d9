import CLIPModel
import Foundation
import Foundations
import Inputs
import Pipeline
import Safetensors
import Synchronization
import TestSupport
import Testing

@testable import Experiments

/// A tiny model with four layers, a folder of pictures of its size, and a place for exports.
final class ExportSample {
    static let count = 37  // two batches
    static let size = 8

    let model: TinyModelFolder
    let folder: URL
    /// In the order of the pictures' names. // [count, size, size, 3]
    let pixels: [UInt8]
    var pictures: URL { folder.appendingPathComponent("pictures") }

    init(count: Int = count) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-export-\(UUID().uuidString)")
        model = try TinyModelFolder()
        try model.write(
            "config.json",
            """
            {"model_type": "clip", "projection_dim": 6,
             "text_config": {"vocab_size": 514, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
                             "intermediate_size": 12, "max_position_embeddings": 8, "eos_token_id": 513},
             "vision_config": {"image_size": 8, "patch_size": 4, "hidden_size": 8, "num_hidden_layers": 4,
                               "num_attention_heads": 2, "intermediate_size": 70}}
            """)
        // What the literal oracle normalises with.
        try model.write(
            "preprocessor_config.json",
            #"{"size": {"shortest_edge": 8}, "crop_size": 8, "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}"#
        )
        try model.writeWeights()
        let configuration = try CLIPConfiguration(folder: model.url).vision
        pixels = RandomVision.images(count, of: configuration)
        try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        for index in 0..<count {
            try image(index).writePNG(to: pictures.appendingPathComponent(String(format: "%03d.png", index)))
        }
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
        try? FileManager.default.removeItem(at: model.url)
    }

    func image(_ index: Int) -> RGBImage {
        RGBImage(width: Self.size, height: Self.size, pixels: Array(slice(index)))
    }

    func slice(_ index: Int) -> ArraySlice<UInt8> {
        let bytes = 3 * Self.size * Self.size
        return pixels[index * bytes..<(index + 1) * bytes]
    }

    func clip() throws -> CLIP { try CLIP(folder: model.url) }

    func literal(_ index: Int) throws -> LiteralVision { LiteralVision(try clip().vision, image: slice(index)) }

    var results: URL { folder.appendingPathComponent("results") }

    var settings: Export.Settings { .init(model: model.url, program: .init(name: "test", version: "1")) }

    /// Plans an export of pictures and runs it.
    @discardableResult
    func export(
        _ contents: PictureContents, of selection: PictureSelection? = nil, to name: String = "out.safetensors",
        workers: Int = 2, cancellation: Cancellation = Cancellation()
    ) throws -> ExecutedSteps {
        try run(try Export(contents, of: selection ?? self.selection(), settings), to: name, workers, cancellation)
    }

    func export(texts: [String]) throws {
        try run(try Export(texts: texts, settings), to: "out.safetensors", 2, Cancellation())
    }

    /// How many steps were computed.
    @discardableResult
    private func run(_ export: Export, to name: String, _ workers: Int, _ cancellation: Cancellation) throws
        -> ExecutedSteps
    {
        let (file, steps) = (folder.appendingPathComponent(name), ExecutedSteps())
        try export.run(
            in: ResultsFolder(results), to: PendingFile(for: file, followsLink: true),
            options: .init(workers: workers), cancellation: cancellation
        ) { if case .finished(let outcome) = $0 { steps.note(outcome) } }
        return steps
    }

    func selection(limit: Int? = nil, badPictures: BadPictures = .fail) -> PictureSelection {
        PictureSelection(location: pictures.path, limit: limit, badPictures: badPictures)
    }

    func file(_ name: String = "out.safetensors") throws -> SafetensorsFile {
        try SafetensorsFile(contentsOf: folder.appendingPathComponent(name))
    }

    func document(_ name: String = "out.safetensors") throws -> [String: Any] {
        let text = try #require(try file(name).metadata["clip-lens"])
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// Names of all files beside the pictures and the results.
    func outputs() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "pictures" && $0 != "results" }
            .sorted()
    }
}

/// The kinds of the steps that were computed.
final class ExecutedSteps: Sendable {
    private let computed = Mutex<[String]>([])

    func note(_ outcome: StepOutcome) {
        if outcome.status == .computed { computed.withLock { $0.append(outcome.kind) } }
    }

    var kinds: [String] { computed.withLock { $0 } }
}
