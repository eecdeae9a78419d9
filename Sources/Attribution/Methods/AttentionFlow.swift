import CLIPModel
import DenseMath

/// Follows the class token's row through a product of matrices over tokens, one a layer, from the last
/// layer down: that row of M_{L−1} · … · M_1 without forming the product.
final class AttentionFlow {
    /// // [T]
    let row: FloatBuffer
    /// Scratch for one layer's matrix. // [T, T]
    let matrix: FloatBuffer
    private let next: FloatBuffer
    private let layout: TokenLayout
    private var tokens: Int { layout.count }

    init(_ vision: VisionTransformer) {
        layout = vision.layout
        let tokens = layout.count
        (row, next) = (FloatBuffer(tokens), FloatBuffer(tokens))
        matrix = FloatBuffer(tokens * tokens)
    }

    /// row ← 1 for the class token, 0 for all others
    func start() {
        row.base.update(repeating: 0, count: tokens)
        row.base[layout.classToken] = 1
    }

    /// row ← row · (1 + matrix)
    func step() {
        next.base.update(from: row.base, count: tokens)
        BLAS.multiply(
            tokens, tokens, matrix.base, stride: tokens, transposed: true, vector: row.base, beta: 1, into: next.base)
        row.base.update(from: next.base, count: tokens)
    }

    /// matrix ← mean over the heads. // [heads, T, T] → [T, T]
    func average(_ heads: UnsafePointer<Float>, count: Int) {
        matrix.base.update(repeating: 0, count: matrix.count)
        for head in 0..<count {
            BLAS.add(1 / Float(count), heads + head * matrix.count, to: matrix.base, count: matrix.count)
        }
    }
}
