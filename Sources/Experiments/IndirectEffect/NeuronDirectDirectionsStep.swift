import DenseMath
import Lens
import Pipeline

/// The direction that every neuron writes at the class token directly, by layer.
struct NeuronDirectDirections: Artefact {
    /// Unit rows. // [N, d]
    var layers: [Int: Tensor]

    init(layers: [Int: Tensor]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { try stored.numbers("\($0).directions", dimensions: 2) }
    }

    func stored() throws -> StoredArtefact { try LayerTensors.write(layers) { ["directions": try $0.stored()] } }
}

enum NeuronDirectDirectionsStep {
    static func add(_ study: Study, in graph: inout Graph) throws -> StepHandle<NeuronDirectDirections> {
        let (model, layers) = (study.model, study.layers)
        return try graph.add(
            Step(
                kind: "neuron-direct-directions", version: 1, parameters: ["layers": .integers(layers)],
                digests: ["model": model.digest],
                work: .single { _ in
                    let (vision, paths) = (try model.clip.value().vision, try model.paths.value())
                    return NeuronDirectDirections(
                        layers: layers.reduce(into: [:]) { $0[$1] = paths.directDirections(layer: $1, of: vision) })
                }))
    }
}
