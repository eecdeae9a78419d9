import DenseMath
import Synchronization

/// The matrices of ``ValueOutputPaths`` as the library of linear layers wants them, a layer's when it is first used.
final class PackedPaths: Sendable {
    struct Layer: Sendable {
        /// input_k by head. // [d_h, D] each
        let inputs: [PackedLinear]
        /// (output_k)ᵀ of all heads side by side. // [d, D]
        let output: PackedLinear
    }

    private let state: Mutex<[State]>

    private enum State {
        case notMade, refused
        case made(Layer)
    }

    init(layers: Int) { state = Mutex([State](repeating: .notMade, count: layers)) }

    /// - Returns: nil where OpenBLAS multiplies.
    func layer(_ layer: Int, of paths: ValueOutputPaths) -> Layer? {
        guard LinearLibrary.current != .openBLAS else { return nil }
        return state.withLock { state in
            if case .notMade = state[layer] { state[layer] = Self.make(layer, of: paths).map(State.made) ?? .refused }
            guard case .made(let made) = state[layer] else { return nil }
            return made
        }
    }

    private static func make(_ layer: Int, of paths: ValueOutputPaths) -> Layer? {
        func pack(_ weight: Tensor) -> PackedLinear? {
            PackedLinear(weight: weight, bias: [Float](repeating: 0, count: weight.shape[0]), precision: .fp32)
        }
        func part(_ tensor: Tensor, heads: Range<Int>) -> Tensor {
            let (rows, columns) = (tensor.shape[1], tensor.shape[2])
            let elements = tensor.elements[heads.lowerBound * rows * columns..<heads.upperBound * rows * columns]
            return Tensor(shape: [heads.count * rows, columns], elements: Array(elements))
        }
        let heads = layer * paths.heads..<(layer + 1) * paths.heads
        let inputs = heads.compactMap { pack(part(paths.inputs, heads: $0..<$0 + 1)) }
        guard inputs.count == heads.count, let output = pack(part(paths.outputs, heads: heads).transposed()) else {
            return nil
        }
        return Layer(inputs: inputs, output: output)
    }
}
