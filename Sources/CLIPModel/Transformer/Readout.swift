import DenseMath

/// How tokens of a tower's last residual stream are read: its last norm, then the projection into the joint space.
public struct Readout: Sendable {
    /// ln_post of an image tower, ln_final of a text tower.
    public let norm: LayerNorm
    /// Pᵀ // [d, D]
    public let projection: Tensor

    /// Width d of the joint space.
    public var embeddingWidth: Int { projection.shape[0] }

    public init(norm: LayerNorm, projection: Tensor) { (self.norm, self.projection) = (norm, projection) }

    /// Reads every row of x [rows, D]: its normalised form [rows, D], which may take the place of x, the norm's μ* and
    /// σ* [rows], and the embeddings, not normalised [rows, d].
    package func callAsFunction(
        _ x: UnsafePointer<Float>, rows: Int, normalised: UnsafeMutablePointer<Float>,
        mean: UnsafeMutablePointer<Float>, sigma: UnsafeMutablePointer<Float>,
        into embeddings: UnsafeMutablePointer<Float>
    ) {
        norm(x, rows: rows, into: normalised, mean: mean, sigma: sigma)
        BLAS.multiply(
            rows, embeddingWidth, norm.width, normalised, stride: norm.width, projection.elements, stride: norm.width,
            otherTransposed: true, into: embeddings, stride: embeddingWidth)
    }

    /// Reads the token that stands at `position` in each image or text of so many tokens. // x [batch · tokens, D]
    package func callAsFunction(
        _ x: UnsafePointer<Float>, at position: (Int) -> Int, batch: Int, tokens: Int,
        normalised: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>,
        sigma: UnsafeMutablePointer<Float>, into embeddings: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<batch {
            (normalised + index * norm.width).update(
                from: x + (index * tokens + position(index)) * norm.width, count: norm.width)
        }
        self(normalised, rows: batch, normalised: normalised, mean: mean, sigma: sigma, into: embeddings)
    }
}
