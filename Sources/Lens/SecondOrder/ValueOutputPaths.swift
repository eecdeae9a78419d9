import CLIPModel
import DenseMath
import Synchronization

/// How a vector written at any token reaches the joint space through one attention head, with the
/// attention and the normalisation statistics left out: the image-independent half of equation (1).
///
/// For head k = (l', h), with γ of ln_1 in layer l' and γ* of ln_post:
///
///     input_k  = W_V^k diag(γ_{l'})          [d_h, D]
///     output_k = (diag(γ*) W_O^k)ᵀ P         [d_h, d]
///
/// Heads of all layers stand one after the other; those that layer l can reach are the last
/// K = (L−1−l)·H of them.
public struct ValueOutputPaths: Sendable {
    /// input_k. // [L · H, d_h, D]
    public let inputs: Tensor
    /// output_k. // [L · H, d_h, d]
    public let outputs: Tensor
    /// diag(γ*) P, which takes a vector v of the residual stream to Pᵀ(γ* ∘ v). // [D, d]
    let scaledProjection: Tensor
    /// Pᵀ(γ* ∘ b_O) by layer. // [L, d]
    let outputBiases: Tensor
    /// Pᵀγ*. // [d]
    let scaleImage: [Float]
    /// Pᵀβ*. // [d]
    let offsetImage: [Float]
    public let layers: Int
    public let heads: Int
    public let headWidth: Int
    private let packed: PackedPaths

    /// All heads of all layers.
    var headCount: Int { layers * heads }

    public init(_ vision: VisionTransformer) {
        let (width, d) = (vision.width, vision.embeddingWidth)
        layers = vision.blocks.count
        heads = vision.configuration.heads
        headWidth = width / heads
        var scaledProjection = vision.readout.projection.transposed()
        for i in 0..<width {
            for j in 0..<d { scaledProjection.elements[i * d + j] *= vision.readout.norm.weight[i] }
        }
        func image(of vector: [Float], through matrix: Tensor) -> [Float] {
            Tensor(shape: [1, width], elements: vector).times(matrix).elements
        }
        scaleImage = image(of: [Float](repeating: 1, count: width), through: scaledProjection)
        offsetImage = image(of: vision.readout.norm.bias, through: vision.readout.projection.transposed())

        var inputs = Tensor(zeros: [layers * heads, headWidth, width])
        var outputs: [Float] = []
        var outputBiases: [Float] = []
        for (layer, block) in vision.blocks.enumerated() {
            let value = block.queryKeyValue.weight.elements[(2 * width * width)...]  // W_V of all heads // [D, D]
            for row in 0..<width {
                for column in 0..<width {
                    inputs.elements[(layer * width + row) * width + column] =
                        value[value.startIndex + row * width + column] * block.attentionNorm.weight[column]
                }
            }
            // Column block h of W_O belongs to head h, so its transpose has the heads one below the other. // [D, d]
            outputs += block.attentionOutput.weight.transposed().times(scaledProjection).elements
            outputBiases += image(of: block.attentionOutput.bias, through: scaledProjection)
        }
        self.scaledProjection = scaledProjection
        self.inputs = inputs
        self.outputs = Tensor(shape: [layers * heads, headWidth, d], elements: outputs)
        self.outputBiases = Tensor(shape: [layers, d], elements: outputBiases)
        packed = PackedPaths(layers: layers)
    }

    /// Σ_k output_kᵀ input_k x_k over all heads from a layer on. // [heads, rows, D] → [rows, d]
    /// - Parameter scratch: // [rows, D + d_h]
    func carry(
        _ x: UnsafePointer<Float>, from first: Int, rows: Int, scratch: UnsafeMutablePointer<Float>,
        into sums: UnsafeMutablePointer<Float>
    ) {
        let (width, d) = (inputs.shape[2], outputs.shape[2])
        // Of a layer's heads side by side, as its output matrix wants them. // [rows, D]
        let (values, ofHead) = (scratch, scratch + rows * width)
        for layer in first..<layers {
            let packed = packed.layer(layer, of: self)
            for head in 0..<heads {
                let x = x + ((layer - first) * heads + head) * rows * width
                let target = values + head * headWidth
                if let packed, packed.inputs[head].multiply(x, rows: rows, addsBias: false, into: ofHead) {
                    for row in 0..<rows {
                        (target + row * width).update(from: ofHead + row * headWidth, count: headWidth)
                    }
                } else {
                    inputs.withRow(layer * heads + head) { input in
                        BLAS.multiply(
                            rows, headWidth, width, x, stride: width, input, stride: width, otherTransposed: true,
                            into: target,
                            stride: width)
                    }
                }
            }
            let isFirst = layer == first
            if let packed,
                packed.output.multiply(values, rows: rows, addsBias: false, accumulating: !isFirst, into: sums)
            {
                continue
            }
            outputs.withRow(layer * heads) { output in
                BLAS.multiply(
                    rows, d, width, values, stride: width, output, stride: d, beta: isFirst ? 0 : 1, into: sums,
                    stride: d)
            }
        }
    }
}

extension Tensor {
    /// The memory of all dimensions but the first, and of what follows it.
    func withRow(_ index: Int, _ body: (UnsafePointer<Float>) -> Void) {
        elements.withUnsafeBufferPointer { elements in
            if let base = elements.baseAddress { body(base + index * (elements.count / shape[0])) }
        }
    }
}

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
