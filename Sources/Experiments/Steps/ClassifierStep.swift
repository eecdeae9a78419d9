import CLIPModel
import DenseMath
import Pipeline

/// The zero-shot classifier of a model and a list of classes.
struct StoredClassifier: ColumnTable {
    /// Unit rows. // [classes, d]
    private(set) var weights = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("weights", \.weights, of: "classes")]

    init() {}
    init(_ classifier: ZeroShotClassifier) { weights = classifier.weights }

    var classifier: ZeroShotClassifier { ZeroShotClassifier(weights: weights) }
}

/// Embeds the names of classes in sentences.
///
/// It throws ``ExperimentError/textNotFinite(text:)``.
struct ClassifierStep: StepDefinition {
    let model: StudyModel
    let names: [String]
    let templates: [String]

    /// Classes that are embedded and stored together.
    private static let classesPerShard = 20

    func step() throws -> Step<StoredClassifier> {
        Step(
            kind: "zero-shot-classifier", version: 2,
            parameters: [
                "names": .texts(names), "templates": .texts(templates),
                "text-activation": .text(model.textActivation.rawValue),
            ],
            digests: ["model": model.digest], cost: model.textCost(texts: templates.count),
            work: try .joined(units: names.count, unitsPerShard: Self.classesPerShard) { inputs in
                let clip = try model.clip.value()
                return { shard in
                    try inputs.checkCancellation()
                    let part = Array(names[shard.units])
                    let weights = try ZeroShotClassifier(clip, names: part, templates: templates).weights.finite(
                        rows: part)
                    return StoredClassifier(ZeroShotClassifier(weights: weights))
                }
            })
    }
}
