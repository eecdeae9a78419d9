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
        var tensors: [String: StoredTensor] = [:]
        for (layer, value) in layers {
            for (part, tensor) in try body(value) { tensors["\(layer).\(part)"] = tensor }
        }
        return .tensors(tensors, metadata: ["layers": layers.keys.sorted().map(String.init).joined(separator: ",")])
    }
}
