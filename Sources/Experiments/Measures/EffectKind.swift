import Pipeline

/// The two ways in which a neuron reaches the representation, by the names that rows have.
enum EffectKind: String, CaseIterable, Sendable {
    /// Through the attention heads of later layers, with attention held fixed.
    case secondOrder = "second-order"
    /// Through all later layers, which run again.
    case indirect

    /// The metric of what a neuron's first direction explains, a mean over neurons.
    static let shareMetric = "pc1-share"

    /// What a first direction explains a share of.
    enum Share: String, CaseIterable, Sendable {
        /// Σ‖φ − φ̄‖² over the images with the largest effects, which the direction is fitted to.
        case largest
        /// Σ‖φ − φ̄‖² over all images.
        case all
        /// The spread of the largest effects about their own mean.
        case centred = "largest-centred"
    }

    /// On what it was measured.
    enum Sample: String, Sendable {
        /// All neurons, all fit images.
        case all
        /// One sample of neurons and images for both kinds of effects.
        case equal
    }

    func subject(_ share: Share, layer: Int, _ sample: Sample) -> Subject {
        ["layer": "\(layer)", "effect": rawValue, "of": share.rawValue, "sample": sample.rawValue]
    }
}
