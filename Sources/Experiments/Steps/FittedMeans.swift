import DenseMath
import Lens
import Pipeline
import Safetensors

/// Means over the fit set, by layer, and what they say of norms.
struct FittedMeans: Artefact {
    let layers: [Int: EffectMeans]
    /// Bounds below every neuron's threshold, see `NormFloors`. // [N] each
    let floors: [Int: [Float]]

    init(layers: [Int: EffectMeans], floors: [Int: [Float]]) {
        self.layers = layers
        self.floors = floors
    }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { try EffectMeans(stored, layer: $0) }
        floors = try LayerTensors.read(stored) { try stored.list("\($0).floors") }
    }

    func stored() throws -> StoredArtefact {
        guard case .tensors(var tensors, let metadata) = try LayerTensors.write(layers, { try $0.tensors() }) else {
            throw PipelineError.wrongArtefactForm(wanted: "tensors")
        }
        for (layer, floors) in floors { tensors["\(layer).floors"] = try StoredTensor(floors, shape: [floors.count]) }
        return .tensors(tensors, metadata: metadata)
    }

    /// - Throws: `PipelineError.invalidArtefact` where the artefact lacks the layer.
    func layer(_ layer: Int) throws -> EffectMeans {
        guard let means = layers[layer] else {
            throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
        }
        return means
    }

    /// - Throws: `PipelineError.invalidArtefact` where the artefact lacks the layer.
    func floors(_ layer: Int) throws -> [Float] {
        guard let floors = floors[layer] else {
            throw PipelineError.invalidArtefact(part: "\(layer).floors", reason: "missing layer")
        }
        return floors
    }
}

/// Sums over some images, in the form of means, by layer, and how far those images' effects lie from a
/// provisional mean.
struct EffectSumsPart: Artefact {
    let sums: [Int: EffectMeans]
    /// `NormFloors.bounds`; empty without a provisional mean. // [N, at most C] each
    let bounds: [Int: Tensor]

    init(sums: [Int: EffectMeans], bounds: [Int: Tensor]) {
        self.sums = sums
        self.bounds = bounds
    }

    init(_ stored: StoredArtefact) throws {
        sums = try LayerTensors.read(stored) { try EffectMeans(stored, layer: $0) }
        bounds = try LayerTensors.read(stored) { try stored.numbers("\($0).bounds", dimensions: 2) }
    }

    func stored() throws -> StoredArtefact {
        guard case .tensors(var tensors, let metadata) = try LayerTensors.write(sums, { try $0.tensors() }) else {
            throw PipelineError.wrongArtefactForm(wanted: "tensors")
        }
        for layer in sums.keys { tensors["\(layer).bounds"] = try (bounds[layer] ?? Tensor(zeros: [0, 0])).stored() }
        return .tensors(tensors, metadata: metadata)
    }
}

extension EffectMeans {
    fileprivate init(_ stored: StoredArtefact, layer: Int) throws {
        self.init(
            coordinates: try stored.numbers("\(layer).coordinates", dimensions: 2),
            biasShare: try stored.list("\(layer).bias-share"), total: try stored.list("\(layer).total"),
            activations: try stored.numbers("\(layer).activations", dimensions: 2))
    }

    fileprivate func tensors() throws -> [String: StoredTensor] {
        [
            "coordinates": try coordinates.stored(),
            "bias-share": try StoredTensor(biasShare, shape: [biasShare.count]),
            "total": try StoredTensor(total, shape: [total.count]),
            "activations": try activations.stored(),
        ]
    }
}
