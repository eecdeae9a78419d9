import DenseMath
import Lens
import Pipeline

/// The direction that every neuron writes at the class token directly, by layer.
typealias NeuronDirectDirections = ByLayer<DirectDirections>

struct DirectDirections: ColumnSet, Equatable {
    /// Unit rows. // [N, d]
    var directions = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("directions", \.directions, of: "neurons")]
}

/// Reads ``NeuronDirectDirections`` off the weights.
struct NeuronDirectDirectionsStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]

    func step() throws -> Step<NeuronDirectDirections> {
        Step(
            kind: "neuron-direct-directions", version: 2, parameters: ["layers": .integers(layers)],
            digests: ["model": model.digest],
            work: .single { _ in
                let (vision, paths) = (try model.clip.value().vision, try model.paths.value())
                return NeuronDirectDirections(
                    layers: layers.reduce(into: [:]) {
                        $0[$1] = DirectDirections(directions: paths.directDirections(layer: $1, of: vision))
                    })
            })
    }
}
