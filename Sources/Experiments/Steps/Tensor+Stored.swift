import DenseMath
import Pipeline
import Safetensors

extension Tensor {
    /// The tensor as an artefact's part.
    func stored() throws -> StoredTensor { try StoredTensor(elements, shape: shape) }
}

extension StoredArtefact {
    /// A part of the artefact as numbers of the given shape.
    /// - Throws: `PipelineError.invalidArtefact`.
    func numbers(_ name: String, dimensions: Int) throws -> Tensor {
        let part = try tensor(name)
        guard part.shape.count == dimensions else {
            throw PipelineError.invalidArtefact(part: name, reason: "shape \(part.shape)")
        }
        return Tensor(shape: part.shape, elements: try part.floats())
    }

    /// A list of numbers.
    func list(_ name: String) throws -> [Float] { try numbers(name, dimensions: 1).elements }
}
