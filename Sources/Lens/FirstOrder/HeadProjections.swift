import DenseMath

/// How far each image's direct effects of heads are from their means, and how much of it lies along some
/// directions of the head's own:
///
///     ‖e − ē‖²   and   (u·(e − ē))²
///
/// Their means over images are what ``HeadMoments`` gives as the trace of Σ and as uᵀΣu; image by image they
/// also say how both vary with the images. Belongs to one worker.
public final class HeadProjections {
    /// ‖e − ē‖². // [batch, L · H]
    public let lengths: FloatBuffer
    /// (u·(e − ē))². // [batch, L · H, directions]
    public let squares: FloatBuffer
    /// // [L · H, d]
    private let means: Tensor
    /// // [L · H, directions, d]
    private let directions: Tensor
    /// e − ē. // [batch, L · H, d]
    private let centred: FloatBuffer

    /// - Parameters:
    ///   - means: ē of every head. // [L · H, d]
    ///   - directions: unit vectors u, as many of every head; zeros where a head has fewer. // [L · H, directions, d]
    ///   - capacity: images of a batch at most.
    public init(means: Tensor, directions: Tensor, capacity: Int) {
        precondition(means.shape.count == 2 && directions.shape.count == 3)
        precondition(directions.shape[0] == means.shape[0] && directions.shape[2] == means.shape[1])
        self.means = means
        self.directions = directions
        lengths = FloatBuffer(capacity * means.shape[0])
        squares = FloatBuffer(capacity * means.shape[0] * directions.shape[1])
        centred = FloatBuffer(capacity * means.elements.count)
    }

    /// Projects the effects of a batch.
    public func update(_ effects: DirectEffects) {
        let (heads, count, d) = (means.shape[0], directions.shape[1], means.shape[1])
        let batch = effects.batch
        for image in 0..<batch {
            for i in 0..<heads * d {
                centred.base[image * heads * d + i] = effects.heads[image * heads * d + i] - means.elements[i]
            }
        }
        for row in 0..<batch * heads {
            lengths.base[row] = BLAS.dot(centred.base + row * d, centred.base + row * d, count: d)
        }
        directions.elements.withUnsafeBufferPointer { directions in
            guard let directions = directions.baseAddress else { return }
            for k in 0..<heads {
                BLAS.multiply(
                    batch, count, d, centred.base + k * d, stride: heads * d, directions + k * count * d, stride: d,
                    otherTransposed: true, into: squares.base + k * count, stride: heads * count)
            }
        }
        for i in 0..<batch * heads * count { squares.base[i] *= squares.base[i] }
    }
}
