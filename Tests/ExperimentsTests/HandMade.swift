import DenseMath
import Foundation
import Lens
import Pipeline

@testable import Experiments

/// What tests of measures need and do not look at.
enum HandMade {
    static let choices = SettingSpec.Choices(models: ["m"], scenes: ["d"])

    /// Of a model with neurons in two layers.
    static func facts(_: OpenedInputs.ModelKey) -> ModelFacts { .init(layers: 0..<2, neurons: 6) }

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

    static func trust(identity: Double = 1e-6, sums: [Int: Double] = [0: 1e-7, 1: 2e-7], overlap: [Int] = []) -> TrustFindings {
        TrustFindings(
            fit: fit, evaluation: images, decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: sums),
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

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The papers' numbers and claims that the project has.
    static func papers() throws -> Papers { try Papers(in: repository.appendingPathComponent("experiments/papers")) }
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
