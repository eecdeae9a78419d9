import DenseMath
import Pipeline

/// What has to hold before any number of an experiment is believed, measured on every run.
struct TrustChecks: Sendable {
    let evaluation: ImageSetName
    private let decomposition: StepHandle<StoredDecomposition>
    private let overlap: StepHandle<StoredOverlap>?

    init(_ study: Study, evaluation: ImageSource, graph: inout Graph) throws {
        self.evaluation = evaluation.name
        decomposition = try DecompositionStep.add(study.model, layers: study.layers, images: evaluation, in: &graph)
        overlap = try OverlapStep.add(fit: study.fit, evaluation: evaluation, in: &graph)
    }

    /// Of an experiment that describes the fit set itself: there is no other set that it could overlap.
    init(onFitSetOf study: Study, graph: inout Graph) throws {
        evaluation = study.fit.name
        decomposition = try DecompositionStep.add(study.model, layers: study.layers, images: study.fit, in: &graph)
        overlap = nil
    }

    func findings(_ result: ExecutionResult) throws -> TrustFindings {
        TrustFindings(
            evaluation: evaluation, decomposition: try result.artefact(decomposition),
            overlap: try overlap.map { try result.artefact($0) })
    }
}

/// The outcome of the checks.
struct TrustFindings: Sendable {
    let evaluation: ImageSetName
    let decomposition: StoredDecomposition
    /// Nil where there is one set only.
    let overlap: StoredOverlap?

    /// Identities hold to rounding; a hundredfold of that is a bug.
    static let identityTolerance = 1e-3

    func metrics(_ rows: RowMaker, evaluated: Int) -> [Metric] {
        var metrics = [
            rows.metric(
                "identity-error", ["identity": "direct terms = embedding"], decomposition.directTerms, of: evaluation,
                n: decomposition.images, unit: "relative error", higherIsBetter: false)
        ]
        for (layer, error) in decomposition.neuronSums.sorted(by: { $0.key < $1.key }) {
            metrics.append(
                rows.metric(
                    "identity-error", ["identity": "sum over neurons = value path", "layer": "\(layer)"], error, of: evaluation,
                    n: decomposition.images, unit: "relative error", higherIsBetter: false))
        }
        if let overlap {
            metrics.append(
                rows.metric(
                    "fit-evaluation-overlap", [:], Double(overlap.images.count), of: evaluation, n: evaluated, unit: "images",
                    higherIsBetter: false))
        }
        return metrics
    }

    func failedControls() -> [FailedControl] {
        var failures: [FailedControl] = []
        let worst = ([decomposition.directTerms] + decomposition.neuronSums.values).largestMagnitude()
        if !(worst <= Self.identityTolerance) {
            failures.append(.identityViolated(error: worst, tolerance: Self.identityTolerance))
        }
        if let overlap, let first = overlap.images.first {
            failures.append(.imagesInBothSets(count: overlap.images.count, first: evaluation.imageID(first)))
        }
        return failures
    }
}
