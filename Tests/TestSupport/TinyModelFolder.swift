import CLIPModel
import Foundation
import Foundations
import Safetensors

/// A complete model folder in the Hugging Face layout with seeded random weights, small enough to spoil
/// and rewrite in every test.
public struct TinyModelFolder {
    public let url: URL
    public var weights: URL { url.appendingPathComponent("model.safetensors") }

    /// - Parameter layers: of the image tower.
    public init(layers: Int = 2) throws {
        url = try ProcessFolder.make()
        try write(
            "config.json",
            """
            {"model_type": "clip", "projection_dim": 6,
             "text_config": {"vocab_size": 514, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
                             "intermediate_size": 12, "max_position_embeddings": 8, "eos_token_id": 513},
             "vision_config": {"image_size": 8, "patch_size": 4, "hidden_size": 8, "num_hidden_layers": \(layers),
                               "num_attention_heads": 2, "intermediate_size": 12}}
            """)
        try write("preprocessor_config.json", #"{"size": {"shortest_edge": 8}, "crop_size": 8}"#)
        try Self.writeVocabulary(into: url)
        try writeWeights()
    }

    public func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
    }

    /// One symbol for each byte, inside and at the end of a word, and no merges: 514 tokens.
    public static func writeVocabulary(into url: URL) throws {
        // GPT-2's byte alphabet: printable bytes stand for themselves, others for 256 and up.
        let printable = Array(33...126) + Array(161...172) + Array(174...255)
        let others = (0...255).filter { !printable.contains($0) }
        let symbols = printable.map { Unicode.Scalar($0) } + others.indices.map { Unicode.Scalar(256 + $0) }
        let characters = symbols.compactMap { $0 }.map { String(Character($0)) }
        var ids: [String: Int] = [:]
        for token in characters + characters.map({ $0 + "</w>" }) + ["<|startoftext|>", "<|endoftext|>"] {
            ids[token] = ids.count
        }
        try JSONSerialization.data(withJSONObject: ids).write(to: url.appendingPathComponent("vocab.json"))
        try Data("#version: 0.2\n".utf8).write(to: url.appendingPathComponent("merges.txt"))
    }

    /// - Parameter change: spoils the tensors before they are written.
    public func writeWeights(_ change: (inout [String: StoredTensor]) throws -> Void = { _ in }) throws {
        let configuration = try CLIPConfiguration(folder: url)
        var random = SplitMix64(seed: 17)
        var tensors: [String: StoredTensor] = [:]
        for (name, shape) in configuration.expectedShapes {
            let count = shape.reduce(1, *)
            tensors[name] = try StoredTensor(
                (0..<count).map { _ in Float(random.uniform(-0.3...0.3)) }, shape: shape)
        }
        try change(&tensors)
        try SafetensorsWriter(tensors: tensors).write(to: weights)
    }
}
