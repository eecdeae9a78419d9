import DenseMath
import Foundation
import Lens
import Pipeline
import Safetensors

@testable import Experiments

/// What tests of measures need and do not look at.
enum HandMade {
    /// With a model that has neurons in two layers.
    static let choices = choices(layers: 0..<2)

    static func choices(layers: Range<Int>, neurons: Int = 6) -> SpecChoices {
        SpecChoices(models: ["m"], scenes: ["d"], model: ModelFacts(layers: layers, neurons: neurons))
    }

    static func document(_ experiment: String, _ keys: String) throws -> SpecDocument {
        try SpecDocument(
            text: """
                experiment: \(experiment)
                world: emoji
                model: m
                fit: {dataset: d, split: fit}
                evaluation: {dataset: d, split: val}

                """ + keys, path: "spec.yaml")
    }

    static let fit = ImageSet(dataset: "d", split: "fit")
    static let images = ImageSet(dataset: "d", split: "val")

    static func trust(identity: Double = 1e-6, sums: [Int: Double] = [0: 1e-7, 1: 2e-7], overlap: [Int] = [])
        -> TrustFindings
    {
        TrustFindings(
            fit: fit, evaluation: images,
            decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: sums),
            overlap: StoredOverlap(images: overlap))
    }

    /// Directions of equal length in every layer.
    static func directions(_ layers: [Int: Tensor], shares: Float = 0.5) -> FittedDirections {
        FittedDirections(
            layers: layers.mapValues { rows in
                let values = [Float](repeating: shares, count: rows.shape[0])
                return .init(directions: directions(rows, shares: values), thresholds: values)
            })
    }

    /// Centred they explain half of what they do else, and all have a gap.
    static func directions(_ rows: Tensor, shares: [Float], ratios: [Float]? = nil) -> PrincipalDirections {
        PrincipalDirections(
            directions: rows, shares: shares, centredShares: shares.map { $0 / 2 },
            ratios: ratios ?? [Float](repeating: 0.25, count: shares.count))
    }

    /// - Parameters:
    ///   - labels: // [images, conditions]
    ///   - margins: one for each label, or one for all.
    static func predictions(_ labels: [Int32], margins: [Float], conditions: Int) throws -> ConditionPredictions {
        let shape = [labels.count / conditions, conditions]
        return try ConditionPredictions(
            .tensors([
                "conditions": StoredTensor([Int32(conditions)], shape: [1]),
                "labels": StoredTensor(labels, shape: shape),
                "margins": StoredTensor(
                    margins.count == 1 ? [Float](repeating: margins[0], count: labels.count) : margins, shape: shape),
            ]))
    }

    /// - Parameter values: // [images, heads, 3 + texts]
    static func terms(_ values: [Float], heads: Int, texts: Int) throws -> HeadVarianceTerms {
        let shape = [values.count / (heads * (3 + texts)), heads, 3 + texts]
        return try HeadVarianceTerms(
            .tensors([
                "heads": StoredTensor([Int32(heads)], shape: [1]), "texts": StoredTensor([Int32(texts)], shape: [1]),
                "terms": StoredTensor(values, shape: shape),
            ]))
    }

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The papers' numbers and claims that the project has.
    static func papers() throws -> Papers { try Papers(in: repository.appendingPathComponent("experiments/papers")) }
}

extension ExperimentSpec {
    init(_ document: SpecDocument, choices: SpecChoices) throws(SpecError) {
        self = try document.read { Self($0, choices: choices) }
    }
}

extension [Metric] {
    /// The values of a metric by its subject's columns.
    func value(_ name: String, _ columns: [String: String]) -> Double? { row(name, columns)?.value }

    func row(_ name: String, _ columns: [String: String]) -> Metric? {
        let wanted = Set(columns.map { Subject.Column($0.key, $0.value) })
        return first { $0.name == name && Set($0.subject.columns) == wanted }
    }
}

extension Double? {
    /// Whether the number is there and as expected.
    func isNear(_ expected: Double, within tolerance: Double = 1e-6) -> Bool {
        map { abs($0 - expected) <= tolerance } ?? false
    }
}
