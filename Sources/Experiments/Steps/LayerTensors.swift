import Pipeline
import Safetensors

/// Artefacts that hold the same tensors for several layers, as `<layer>.<part>`.
enum LayerTensors {
    /// Reads every layer that the artefact has.
    static func read<Value>(_ stored: StoredArtefact, _ body: (Int) throws -> Value) throws -> [Int: Value] {
        guard let list = stored.metadata("layers") else {
            throw PipelineError.invalidArtefact(part: "layers", reason: "missing")
        }
        return try list.split(separator: ",").compactMap { Int($0) }.reduce(into: [:]) { $0[$1] = try body($1) }
    }

    static func write<Value>(
        _ layers: [Int: Value], _ body: (Value) throws -> [String: StoredTensor]
    ) throws -> StoredArtefact {
        try write(Array(layers.keys)) { layer in try layers[layer].map(body) ?? [:] }
    }

    /// Writes layers one after the other, so that `body` may make what it writes.
    static func write(_ layers: [Int], _ body: (Int) throws -> [String: StoredTensor]) throws -> StoredArtefact {
        var tensors: [String: StoredTensor] = [:]
        for layer in layers {
            for (part, tensor) in try body(layer) { tensors["\(layer).\(part)"] = tensor }
        }
        return .tensors(tensors, metadata: ["layers": layers.sorted().map(String.init).joined(separator: ",")])
    }
}
