import Pipeline
import Safetensors
import Testing

@testable import Experiments

// Checks that all stored artefacts share: what is not theirs is refused.

/// The tensors and the metadata of an artefact that is stored as such.
/// - Throws: `PipelineError.wrongArtefactForm` for another form, and what storing throws.
func storedTensors(of artefact: some Artefact) throws -> (tensors: [String: StoredTensor], metadata: [String: String]) {
    guard case .tensors(let tensors, let metadata) = try artefact.stored() else {
        throw PipelineError.wrongArtefactForm(wanted: "tensors")
    }
    return (tensors, metadata)
}

/// Expects that the artefact is not read with another tensor in place of one of its own.
func expectRefusal<Value: Artefact>(_ value: Value, _ name: String, of tensor: StoredTensor) throws {
    var stored = try storedTensors(of: value)
    #expect(stored.tensors[name] != nil, "there is no tensor \(name)")
    stored.tensors[name] = tensor
    let changed = StoredArtefact.tensors(stored.tensors, metadata: stored.metadata)
    #expect(throws: PipelineError.self, "\(name) of shape \(tensor.shape) was read") { try Value(changed) }
}

/// Expects that the artefact is not read with zeros of another shape in place of one of its tensors.
func expectRefusal<Value: Artefact>(_ value: Value, _ name: String, _ shape: [Int], integers: Bool = false) throws {
    let count = shape.reduce(1, *)
    let zeros =
        integers
        ? try StoredTensor([Int32](repeating: 0, count: count), shape: shape)
        : try StoredTensor([Float](repeating: 0, count: count), shape: shape)
    try expectRefusal(value, name, of: zeros)
}

/// Expects that the artefact is not read without one of its tensors, for every tensor.
func expectNoPartCanBeMissing<Value: Artefact>(_ value: Value) throws {
    let (tensors, metadata) = try storedTensors(of: value)
    for name in tensors.keys {
        var rest = tensors
        rest[name] = nil
        #expect(throws: PipelineError.self, "it was read without \(name)") {
            try Value(.tensors(rest, metadata: metadata))
        }
    }
}

/// Expects that the artefact is not read with other whole numbers in one of its tensors.
func expectRefusal<Value: Artefact>(_ value: Value, _ name: String, numbers: [Int32]) throws {
    let (tensors, metadata) = try storedTensors(of: value)
    var changed = tensors
    changed[name] = try StoredTensor(numbers, shape: try #require(tensors[name]).shape)
    #expect(throws: PipelineError.self, "\(name) \(numbers) was read") {
        try Value(.tensors(changed, metadata: metadata))
    }
}
