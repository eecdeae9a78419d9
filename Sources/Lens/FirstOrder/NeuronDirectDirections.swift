import CLIPModel
import DenseMath

extension ValueOutputPaths {
    /// Where each neuron of a layer moves the representation by what it writes at the class token itself,
    /// without any later layer: every image has the direction
    ///
    ///     Pᵀ(γ* ∘ (w^n − mean of w^n))
    ///
    /// because ln_post takes the mean away. Unit rows; zeros for a neuron that writes nothing. // [N, d]
    /// - Precondition: a layer of the tower that the paths are of.
    public func directDirections(layer: Int, of vision: VisionTransformer) -> Tensor {
        var written = vision.blocks[layer].mlpOutput.weight.transposed()  // [N, D]
        let (N, D) = (written.shape[0], written.shape[1])
        for n in 0..<N {
            let mean = written[row: n].reduce(0, +) / Float(D)
            for i in n * D..<(n + 1) * D { written.elements[i] -= mean }
        }
        return written.times(scaledProjection).rowsNormalised()
    }
}
