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

enum DecompositionStep {
    static let images = 16

    static func add(
        _ model: ModelUnderStudy, layers: [Int], images: ImageSource, in graph: inout Graph
    ) throws -> StepHandle<StoredDecomposition> {
        let count = min(Self.images, images.count)
        return try graph.add(
            Step(
                kind: "decomposition-check", version: 1,
                parameters: ["layers": .integers(layers), "images": .integer(count)],
                inputs: [images.images.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, [], batch: count),
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
                }))
    }
}

/// Images that stand in both the fit and the evaluation set.
struct StoredOverlap: Artefact, Codable {
    /// Indices in the evaluation set.
    var images: [Int]
}

enum OverlapStep {
    /// Compares two sets by the digests of their pixels.
    static func add(fit: ImageSource, evaluation: ImageSource, in graph: inout Graph) throws -> StepHandle<StoredOverlap> {
        try graph.add(
            Step(
                kind: "overlap", version: 1, inputs: [fit.facts.erased, evaluation.facts.erased],
                work: .single { inputs in
                    let (first, second) = (try inputs[fit.facts], try inputs[evaluation.facts])
                    let known = Set(first.digests)
                    return StoredOverlap(images: (0..<second.count).filter { known.contains(second.digests[$0]) })
                }))
    }
}
