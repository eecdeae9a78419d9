import DenseMath

/// First and second moments of every head's direct effects over images, in memory that does not grow
/// with them.
///
/// A head's effect is e = output_kᵀ z with z of the head's width, so the moments of z say everything:
/// d_h² numbers a head in place of d², and a covariance whose rank is exact. Kept in double precision,
/// because a covariance is the small difference of two moments.
public struct HeadMoments: Sendable, Equatable {
    public private(set) var images: Int
    /// All heads of all layers.
    public let headCount: Int
    public let headWidth: Int
    /// Σ z. // [L · H, d_h]
    public private(set) var sums: [Double]
    /// Σ z zᵀ. // [L · H, d_h, d_h]
    public private(set) var products: [Double]

    public init(_ paths: ValueOutputPaths) {
        self.init(
            images: 0, headCount: paths.headCount, headWidth: paths.headWidth,
            sums: [Double](repeating: 0, count: paths.headCount * paths.headWidth),
            products: [Double](repeating: 0, count: paths.headCount * paths.headWidth * paths.headWidth))
    }

    /// - Precondition: as many sums and products as heads and their width imply.
    public init(images: Int, headCount: Int, headWidth: Int, sums: [Double], products: [Double]) {
        precondition(sums.count == headCount * headWidth && products.count == sums.count * headWidth)
        self.images = images
        self.headCount = headCount
        self.headWidth = headWidth
        self.sums = sums
        self.products = products
    }

    /// Adds a batch.
    public mutating func add(_ effects: DirectEffects) {
        let (batch, width, stride) = (effects.batch, headWidth, sums.count)
        // z of all heads. // [batch, L · H, d_h]
        let values = UnsafeBufferPointer(start: effects.headValues, count: batch * stride).map(Double.init)
        for image in 0..<batch {
            for i in 0..<stride { sums[i] += values[image * stride + i] }
        }
        values.withUnsafeBufferPointer { values in
            products.withUnsafeMutableBufferPointer { products in
                guard let values = values.baseAddress, let products = products.baseAddress else { return }
                for k in 0..<headCount {
                    BLAS.multiply(
                        width, width, batch, values + k * width, stride: stride, transposed: true, values + k * width,
                        stride: stride, beta: 1, into: products + k * width * width, stride: width)
                }
            }
        }
        images += batch
    }

    /// Adds another shard.
    public static func += (moments: inout HeadMoments, other: HeadMoments) {
        precondition(moments.headCount == other.headCount && moments.headWidth == other.headWidth)
        for i in moments.sums.indices { moments.sums[i] += other.sums[i] }
        for i in moments.products.indices { moments.products[i] += other.products[i] }
        moments.images += other.images
    }

    /// Mean direct effect of head k = l·H + h; zeros if there were no images. // [d]
    public func mean(of k: Int, _ paths: ValueOutputPaths) -> [Double] {
        let output = self.output(k, paths)
        let d = output.count / headWidth
        var mean = [Double](repeating: 0, count: d)
        BLAS.multiply(1, d, headWidth, meanValues(k), stride: headWidth, output, stride: d, into: &mean, stride: d)
        return mean
    }

    /// Covariance Σ of the direct effects of head k = l·H + h: the mean of (e − ē)(e − ē)ᵀ over the
    /// images; zeros if there were none. // [d, d]
    public func covariance(of k: Int, _ paths: ValueOutputPaths) -> [Double] {
        let width = headWidth
        let (n, mean, output) = (Double(max(images, 1)), meanValues(k), self.output(k, paths))
        let d = output.count / width
        var ofValues = products[k * width * width..<(k + 1) * width * width].map { $0 / n }
        for i in 0..<width {
            for j in 0..<width { ofValues[i * width + j] -= mean[i] * mean[j] }
        }
        var half = [Double](repeating: 0, count: width * d)
        BLAS.multiply(width, d, width, ofValues, stride: width, output, stride: d, into: &half, stride: d)
        var covariance = [Double](repeating: 0, count: d * d)
        BLAS.multiply(d, d, width, output, stride: d, transposed: true, half, stride: d, into: &covariance, stride: d)
        return covariance
    }

    /// z̄ of one head. // [d_h]
    private func meanValues(_ k: Int) -> [Double] {
        sums[k * headWidth..<(k + 1) * headWidth].map { $0 / Double(max(images, 1)) }
    }

    /// output_k. // [d_h, d]
    private func output(_ k: Int, _ paths: ValueOutputPaths) -> [Double] { paths.outputs[row: k].map(Double.init) }
}
