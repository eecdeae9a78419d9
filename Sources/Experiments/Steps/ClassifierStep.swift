import CLIPModel
import DenseMath
import Pipeline

/// The zero-shot classifier of a model and a list of classes.
struct StoredClassifier: Artefact {
    let classifier: ZeroShotClassifier

    init(_ classifier: ZeroShotClassifier) { self.classifier = classifier }

    init(_ stored: StoredArtefact) throws {
        classifier = ZeroShotClassifier(weights: try stored.numbers("weights", dimensions: 2))
    }

    func stored() throws -> StoredArtefact { .tensors(["weights": try classifier.weights.stored()]) }
}

enum ClassifierStep {
    /// Classes that are embedded and stored together.
    private static let classesPerShard = 20

    /// - Throws: `PipelineError`; the step throws ``ExperimentError/textNotFinite(text:)``.
    static func add(
        _ model: ModelUnderStudy, names: [String], templates: [String], in graph: inout Graph
    ) throws -> StepHandle<StoredClassifier> {
        try graph.add(
            Step(
                kind: "zero-shot-classifier", version: 2,
                parameters: [
                    "names": .texts(names), "templates": .texts(templates),
                    "text-activation": .text(model.textActivation.rawValue),
                ],
                digests: ["model": model.digest], cost: model.textCost(texts: templates.count),
                work: .map(
                    units: names.count, unitsPerShard: classesPerShard,
                    makeWorker: { inputs in
                        let clip = try model.clip.value()
                        return { shard in
                            try inputs.checkCancellation()
                            let part = Array(names[shard.units])
                            let weights = try ZeroShotClassifier(clip, names: part, templates: templates).weights.finite(rows: part)
                            return StoredClassifier(ZeroShotClassifier(weights: weights))
                        }
                    },
                    reduce: { _, shards in
                        var weights: [Float] = []
                        try shards.forEach { _, part in weights += part.classifier.weights.elements }
                        return StoredClassifier(
                            ZeroShotClassifier(weights: Tensor(shape: [names.count, weights.count / names.count], elements: weights)))
                    })))
    }
}
