import DenseMath
import Synchronization

/// The weights of a linear layer as its library wants them, made when they are first used: a model whose texts alone
/// are embedded does not pack its image tower.
final class WeightPacking: Sendable {
    private let state = Mutex(State())

    private struct State {
        /// Nil before the first use; then what came of it.
        var packed: PackedLinear??
        var rounded: Tensor?
    }

    /// - Returns: nil where the library refuses the layer.
    func packed(_ linear: Linear) -> PackedLinear? {
        state.withLock { state in
            if let packed = state.packed { return packed }
            let packed = PackedLinear(weight: linear.weight, bias: linear.bias, precision: linear.precision)
            state.packed = .some(packed)
            return packed
        }
    }

    /// The weights rounded to bf16, in single precision.
    func rounded(_ linear: Linear) -> Tensor {
        state.withLock { state in
            if let rounded = state.rounded { return rounded }
            var rounded = linear.weight
            Precision.bf16.rounded(linear.weight.elements, count: linear.weight.elements.count, into: &rounded.elements)
            state.rounded = rounded
            return rounded
        }
    }
}
