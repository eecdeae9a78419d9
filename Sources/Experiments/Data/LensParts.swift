import DenseMath
import Lens
import Pipeline

/// A layer's lens with the factors that norms take: what all workers of a step read and none changes.
struct FactoredLens: Sendable {
    let lens: SecondOrderLens
    /// `SecondOrderLens.choleskyFactors`. // [N, packed]
    let factors: Tensor
}

extension StudyModel {
    /// The layers' lenses, made by a step's workers together.
    func lensParts(_ layers: [Int]) -> SharedParts<SecondOrderLens> {
        SharedParts(layers.count) { _, index in try lens(layers[index]) }
    }

    /// The layers' lenses with their factors. Those of all layers of a large model take gigabytes, of which no
    /// second copy may be made and which no later step may find occupied.
    func factoredLensParts(_ layers: [Int]) -> SharedParts<FactoredLens> {
        SharedParts(layers.count) { inputs, index in
            let lens = try lens(layers[index])
            return FactoredLens(lens: lens, factors: try lens.choleskyFactors(check: inputs.checkCancellation))
        }
    }

    /// The lens of one layer.
    /// - Throws: `LensError` and what loading throws.
    func lens(_ layer: Int) throws -> SecondOrderLens {
        try SecondOrderLens(layer: layer, paths: try paths.value(), vision: try clip.value().vision)
    }
}

extension SharedParts<FactoredLens> {
    /// How the neurons of each lens read their directions.
    func readings(along directions: StepHandle<FittedDirections>) -> SharedParts<DirectionReadings> {
        SharedParts<DirectionReadings>(count) { inputs, index in
            let lens = try inputs.parts(self)[index].lens
            return DirectionReadings(lens, directions: try inputs[directions].layer(lens.layer).directions.directions)
        }
    }
}
