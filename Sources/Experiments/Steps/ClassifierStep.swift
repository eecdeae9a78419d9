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
    static func add(
        _ model: ModelUnderStudy, names: [String], templates: [String], in graph: inout Graph
    ) throws -> StepHandle<StoredClassifier> {
        try graph.add(
            Step(
                kind: "zero-shot-classifier", version: 1,
                parameters: [
                    "names": .texts(names), "templates": .texts(templates),
                    "text-activation": .text(model.textActivation.rawValue),
                ],
                digests: ["model": model.digest], cost: model.textCost(texts: names.count * templates.count),
                work: .single { _ in
                    StoredClassifier(ZeroShotClassifier(try model.clip.value(), names: names, templates: templates))
                }))
    }
}
