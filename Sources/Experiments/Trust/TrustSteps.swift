import Lens
import Pipeline

/// The decomposition identities on the first images of an evaluation set.
struct StoredDecomposition: Artefact, Codable {
    var images: Int
    /// Largest relative error of the direct terms.
    var directTerms: Double
    /// Largest relative error of the sum over neurons, by layer.
    var neuronSums: [Int: Double]
}

/// Compares sums of terms with what they have to sum up to.
struct DecompositionStep: StepDefinition {
    static let images = 16

    let model: StudyModel
    let layers: [Int]
    let images: ImageSource

    func step() throws -> Step<StoredDecomposition> {
        let count = min(Self.images, images.count)
        return Step(
            kind: "decomposition-check", version: 1,
            parameters: ["layers": .integers(layers), "images": .integer(count)],
            inputs: [images.images.erased], digests: ["model": model.digest],
            memory: model.memory(layers: layers, [], batch: count),
            cost: model.imageCost(
                fixed: layers.reduce(2 * Double(count) * model.operations.forward) {
                    $0 + model.operations.neuronSums($1, images: Double(count))
                }, perUnit: 0),
            work: .single { inputs in
                let reader = ImageReader(try inputs[images.images])
                var stored = StoredDecomposition(images: count, directTerms: 0, neuronSums: [:])
                let (vision, lenses) = (try model.clip.value().vision, try model.lenses(layers))
                try reader.withImages(0..<count) { base in
                    let check = DecompositionCheck(vision, lenses: lenses, images: base, count: count)
                    stored.directTerms = Double(check.directTerms)
                    stored.neuronSums = check.neuronSums.mapValues(Double.init)
                }
                return stored
            })
    }
}

/// Images that stand in both the fit and the evaluation set.
struct StoredOverlap: Artefact, Codable {
    /// Indices in the evaluation set.
    var images: [Int]
}

/// Compares two sets by the digests of their pixels.
struct OverlapStep: StepDefinition {
    let fit: StepHandle<ImageFacts>
    let evaluation: StepHandle<ImageFacts>

    func step() throws -> Step<StoredOverlap> {
        Step(
            kind: "overlap", version: 1, inputs: [fit.erased, evaluation.erased],
            work: .single { inputs in
                let (first, second) = (try inputs[fit], try inputs[evaluation])
                let known = Set(first.digests)
                return StoredOverlap(images: (0..<second.count).filter { known.contains(second.digests[$0]) })
            })
    }
}
