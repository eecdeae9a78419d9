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
                inputs: [images.handle.erased], digests: ["model": model.digest],
                work: .single { inputs in
                    let scenes = try inputs[images.handle]
                    var stored = StoredDecomposition(images: count, directTerms: 0, neuronSums: [:])
                    let (vision, lenses) = (try model.clip.value().vision, try model.lenses(layers))
                    scenes.withImages(from: 0) { base in
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
                kind: "overlap", version: 1, inputs: [fit.handle.erased, evaluation.handle.erased],
                work: .single { inputs in
                    let (first, second) = (try inputs[fit.handle], try inputs[evaluation.handle])
                    let known = Set((0..<first.count).map(first.imageDigest))
                    return StoredOverlap(images: (0..<second.count).filter { known.contains(second.imageDigest($0)) })
                }))
    }
}
