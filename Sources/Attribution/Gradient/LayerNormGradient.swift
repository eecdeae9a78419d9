import CLIPModel
import DenseMath

/// The gradient of a layer norm. With x̂ = (x − μ)/σ and g = γ ∘ ∂y:
///
///     ∂x = ( g − mean(g) − x̂ · mean(g ∘ x̂) ) / σ
enum LayerNormGradient {
    /// Adds ∂x to `target`.
    /// - Parameters:
    ///   - gradient: ∂y. // [rows, D]
    ///   - input: x. // [rows, D]
    ///   - scratch: // [2 D]
    static func add(
        _ gradient: UnsafePointer<Float>, through norm: LayerNorm, input: UnsafePointer<Float>,
        mean: UnsafePointer<Float>, sigma: UnsafePointer<Float>, rows: Int, to target: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let width = norm.width
        let (scaled, standardised) = (scratch, scratch + width)
        norm.weight.withUnsafeBufferPointer { gamma in
            for row in 0..<rows {
                let (dy, x, dx) = (gradient + row * width, input + row * width, target + row * width)
                let inverse = 1 / sigma[row]
                for j in 0..<width {
                    scaled[j] = gamma[j] * dy[j]
                    standardised[j] = (x[j] - mean[row]) * inverse
                }
                var sum = Float(0)
                for j in 0..<width { sum += scaled[j] }
                let average = sum / Float(width)
                let slope = BLAS.dot(scaled, standardised, count: width) / Float(width)
                for j in 0..<width { dx[j] += (scaled[j] - average - standardised[j] * slope) * inverse }
            }
        }
    }
}
