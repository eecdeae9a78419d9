import DenseMath
import Pipeline

/// What has to hold before any number of an experiment is believed, measured on every run.
struct TrustChecks: Sendable {
    private let fit: ImageSet
    private let evaluation: ImageSet
    private let decomposition: StepHandle<StoredDecomposition>
    private let overlap: StepHandle<StoredOverlap>?
    private let precision: Precision

    /// An experiment that describes the fit set itself has no other set that it could overlap.
    init(_ study: Study, graph: inout Graph) throws {
        let images = study.evaluation ?? study.fit
        (fit, evaluation, precision) = (study.fit.name, images.name, study.model.precision)
        decomposition = try graph.add(DecompositionStep(model: study.model, layers: study.layers, images: images))
        overlap = try study.evaluation.map { try graph.add(OverlapStep(fit: study.fit.facts, evaluation: $0.facts)) }
    }

    func findings(_ result: ExecutionResult) throws -> TrustFindings {
        TrustFindings(
            fit: fit, evaluation: evaluation, decomposition: try result.artefact(decomposition),
            overlap: try overlap.map { try result.artefact($0) }, precision: precision)
    }
}

/// The outcome of the checks.
struct TrustFindings: Sendable {
    /// The images from which was estimated, and those on which was measured.
    let fit: ImageSet
    let evaluation: ImageSet
    let decomposition: StoredDecomposition
    /// Nil where there is one set only.
    let overlap: StoredOverlap?
    var precision = Precision.fp32

    /// Identities hold to rounding; a hundredfold of that is a bug. The terms are of the weights as they are, so that
    /// against a tower in bf16, whose numbers are good to 1/256, they are off by a part of that.
    static func identityTolerance(_ precision: Precision) -> Double {
        switch precision {
        case .fp32: 1e-3
        case .bf16: 1e-2
        }
    }

    func metrics(_ rows: MetricBuilder, evaluated: Int) -> [Metric] {
        var metrics = [
            rows.metric(
                "identity-error", ["identity": "direct terms = embedding"], decomposition.directTerms, of: evaluation,
                n: decomposition.images, unit: "relative error", higherIsBetter: false)
        ]
        for (layer, error) in decomposition.neuronSums.sorted(by: { $0.key < $1.key }) {
            metrics.append(
                rows.metric(
                    "identity-error", ["identity": "sum over neurons = value path", "layer": "\(layer)"], error,
                    of: evaluation,
                    n: decomposition.images, unit: "relative error", higherIsBetter: false))
        }
        if let overlap {
            metrics.append(
                rows.metric(
                    "fit-evaluation-overlap", [:], Double(overlap.images.count), of: evaluation, n: evaluated,
                    unit: "images",
                    higherIsBetter: false))
        }
        return metrics
    }

    func failedControls() -> [FailedControl] {
        var failures: [FailedControl] = []
        let worst = ([decomposition.directTerms] + decomposition.neuronSums.values).largestMagnitude()
        let tolerance = Self.identityTolerance(precision)
        if !(worst <= tolerance) {
            failures.append(.identityViolated(error: worst, tolerance: tolerance))
        }
        if let overlap, let first = overlap.images.first {
            failures.append(.imagesInBothSets(count: overlap.images.count, first: evaluation.imageID(first)))
        }
        return failures
    }
}

/// The `controls:` of a spec: what must hold before its numbers are believed.
struct ControlsSpec: Sendable {
    /// Zero-shot accuracy below which nothing is believed, 0…1.
    var accuracyFloor: Double

    private enum Key: String, CaseIterable {
        case accuracyFloor = "accuracy-floor"
    }

    init<Root>(_ root: SpecMapping<Root>, _ key: Root) {
        accuracyFloor = root.mapping(key, keys: Key.self).double(.accuracyFloor, in: 0...1)
    }
}

/// Why the numbers of an experiment must not be trusted. Facts only; `runner` makes the words.
public enum FailedControl: Equatable, Sendable {
    /// The untouched model is worse than the spec demands: a wrong model, wrong labels or wrong pixels.
    case accuracyBelowFloor(accuracy: Double, floor: Double)
    /// Labels that were dealt out anew are predicted better than by chance.
    case shuffledLabelsAboveChance(accuracy: Double, chance: Double)
    /// Removing random neurons costs more accuracy than removing the significant ones.
    case randomNeuronsMatterMore(layer: Int, excess: Double)
    /// A decomposition identity does not hold; also where its error is not a number.
    case identityViolated(error: Double, tolerance: Double)
    /// The same pictures stand in the fit and in the evaluation set.
    case imagesInBothSets(count: Int, first: String)
}
