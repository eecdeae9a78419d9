import DenseMath

/// Which layers' direct effects are replaced by their means, at step l: Figures 11 and 12 of
/// arXiv 2406.04341.
public enum FirstOrderCondition: String, CaseIterable, Sendable, Codable {
    /// Attention layers 0…l.
    case attentionFromFirst = "attention-from-first"
    /// Attention layers l…L−1.
    case attentionFromLast = "attention-from-last"
    /// MLPs 0…l.
    case mlpsFromFirst = "mlps-from-first"
    /// MLPs l…L−1.
    case mlpsFromLast = "mlps-from-last"
}

/// Accumulative mean-ablation of direct effects: R − Σ_{l'} (e_{l'} − ē_{l'}) over more and more layers,
/// later layers untouched as if they had not seen the change. Belongs to one worker.
public final class FirstOrderAblation {
    private let means: DirectEffectMeans
    private let results: [FloatBuffer]

    public init(means: DirectEffectMeans, capacity: Int) {
        self.means = means
        results = FirstOrderCondition.allCases.map { _ in FloatBuffer(capacity * means.attention.elements.count) }
    }

    /// The representation at every step l after ``update(_:)``. // [batch, L, d]
    public func representations(_ condition: FirstOrderCondition) -> UnsafePointer<Float> {
        UnsafePointer(results[FirstOrderCondition.allCases.firstIndex(of: condition) ?? 0].base)
    }

    /// Evaluates every condition of a batch.
    public func update(_ effects: DirectEffects) {
        let layers = Array(0..<means.attention.shape[0])
        for (condition, result) in zip(FirstOrderCondition.allCases, results) {
            switch condition {
            case .attentionFromFirst: accumulate(effects, effects.attention, means.attention, layers, into: result)
            case .attentionFromLast:
                accumulate(effects, effects.attention, means.attention, layers.reversed(), into: result)
            case .mlpsFromFirst: accumulate(effects, effects.mlps, means.mlps, layers, into: result)
            case .mlpsFromLast: accumulate(effects, effects.mlps, means.mlps, layers.reversed(), into: result)
            }
        }
    }

    private func accumulate(
        _ effects: DirectEffects, _ terms: UnsafePointer<Float>, _ means: Tensor, _ order: [Int],
        into result: FloatBuffer
    ) {
        let (L, d) = (means.shape[0], means.shape[1])
        for image in 0..<effects.batch {
            var previous = effects.representations + image * d
            for layer in order {
                let row = (image * L + layer) * d
                for j in 0..<d {
                    result.base[row + j] = previous[j] - terms[row + j] + means.elements[layer * d + j]
                }
                previous = UnsafePointer(result.base + row)
            }
        }
    }
}
