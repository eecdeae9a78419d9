import Pipeline
import Safetensors
import Testing

@testable import Experiments

// Checks that all stored artefacts share: what is not theirs is refused.

/// The artefact with one tensor replaced by zeros of another shape.
private func damaged(_ artefact: some Artefact, _ name: String, _ shape: [Int], integers: Bool = false) throws
    -> StoredArtefact
{
    guard case .tensors(var tensors, let metadata) = try artefact.stored() else {
        throw PipelineError.wrongArtefactForm(wanted: "tensors")
    }
    #expect(tensors[name] != nil, "there is no tensor \(name)")
    let count = shape.reduce(1, *)
    tensors[name] =
        integers
        ? try StoredTensor([Int32](repeating: 0, count: count), shape: shape)
        : try StoredTensor([Float](repeating: 0, count: count), shape: shape)
    return .tensors(tensors, metadata: metadata)
}

func expectRefusal<Value: Artefact>(_ value: Value, _ name: String, _ shape: [Int], integers: Bool = false) throws {
    let stored = try damaged(value, name, shape, integers: integers)
    #expect(throws: PipelineError.self, "\(name) of shape \(shape) was read") { try Value(stored) }
}

/// The same without one of its tensors, for every tensor.
func expectNoPartCanBeMissing<Value: Artefact>(_ value: Value) throws {
    guard case .tensors(let tensors, let metadata) = try value.stored() else { return }
    for name in tensors.keys {
        var rest = tensors
        rest[name] = nil
        #expect(throws: PipelineError.self, "it was read without \(name)") {
            try Value(.tensors(rest, metadata: metadata))
        }
    }
}

/// The artefact with other whole numbers of the same shape.
func expectRefusal<Value: Artefact>(_ value: Value, _ name: String, numbers: [Int32]) throws {
    guard case .tensors(var tensors, let metadata) = try value.stored() else { return }
    let shape = try #require(tensors[name]).shape
    tensors[name] = try StoredTensor(numbers, shape: shape)
    #expect(throws: PipelineError.self, "\(name) \(numbers) was read") {
        try Value(.tensors(tensors, metadata: metadata))
    }
}
