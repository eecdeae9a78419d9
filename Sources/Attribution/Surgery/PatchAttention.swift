import CLIPModel
import DenseMath
import Foundation

/// The attention term of a second path: another mixture of a block's own values. Belongs to one worker.
final class PatchAttention {
    private let attention: SurgeryRecipe.Attention
    private let tokens, heads, headWidth: Int
    /// c = d_h^(−½)
    private let scale: Float
    /// ω/c, to be added to products that softmax multiplies by c. // [T, T]
    private let neighbourhood: FloatBuffer?
    /// One head's û, and its mixture. // [T, d_h]
    private let unit, mixture: FloatBuffer?

    init(_ attention: SurgeryRecipe.Attention, _ configuration: VisionConfiguration) {
        self.attention = attention
        (tokens, heads, headWidth) = (configuration.tokens, configuration.heads, configuration.headWidth)
        scale = 1 / Float(configuration.headWidth).squareRoot()
        if case .keyKeyNearby(let deviation) = attention {
            neighbourhood = Self.neighbourhood(configuration.layout, deviation: deviation, scale: scale)
        } else {
            neighbourhood = nil
        }
        if case .selfSelf = attention {
            (unit, mixture) = (FloatBuffer(tokens * headWidth), FloatBuffer(tokens * headWidth))
        } else {
            (unit, mixture) = (nil, nil)
        }
    }

    /// Mixes the values of one image.
    /// - Parameters:
    ///   - projected: queries, keys and values. // [T, 3D]
    ///   - inputLength: mean length of the tokens that the block projects; of meaning for self-self attention only.
    ///   - scores: scratch. // [T, T]
    ///   - out: // [T, D]
    func mix(
        _ projected: UnsafePointer<Float>, inputLength: Float, scores: UnsafeMutablePointer<Float>,
        into out: UnsafeMutablePointer<Float>
    ) {
        let width = heads * headWidth
        for head in 0..<heads {
            let query = projected + head * headWidth
            let (key, value, mixed) = (query + width, query + 2 * width, out + head * headWidth)
            switch attention {
            case .queryKey: add(query, key, value, scores, into: mixed)
            case .valueValue: add(value, value, value, scores, into: mixed)
            case .queryQuery: add(query, query, value, scores, into: mixed)
            case .keyKeyNearby: add(key, key, value, scores, into: mixed)
            case .queryQueryAndKeyKey:
                add(query, query, value, scores, into: mixed)
                add(key, key, value, scores, accumulating: true, into: mixed)
            case .identity:
                for token in 0..<tokens {
                    (mixed + token * width).update(from: value + token * 3 * width, count: headWidth)
                }
            case .selfSelf(let iterations):
                for (index, part) in [query, key, value].enumerated() {
                    attendToItself(part, scale: scale * inputLength, iterations: iterations, scores)
                    BLAS.multiply(
                        tokens, headWidth, tokens, alpha: 1 / 3, scores, stride: tokens, value, stride: 3 * width,
                        beta: index == 0 ? 0 : 1, into: mixed, stride: width)
                }
            }
        }
    }

    /// out ← softmax(c·a bᵀ + ω) v, or that added to it.
    private func add(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ value: UnsafePointer<Float>,
        _ scores: UnsafeMutablePointer<Float>, accumulating: Bool = false, into out: UnsafeMutablePointer<Float>
    ) {
        let (width, stride) = (heads * headWidth, 3 * heads * headWidth)
        BLAS.multiply(
            tokens, tokens, headWidth, a, stride: stride, b, stride: stride, otherTransposed: true, into: scores,
            stride: tokens)
        if let neighbourhood { BLAS.add(1, neighbourhood.base, to: scores, count: tokens * tokens) }
        RowKernels.softmax(scores, rows: tokens, columns: tokens, scale: scale, causal: false)
        BLAS.multiply(
            tokens, headWidth, tokens, scores, stride: tokens, value, stride: stride, beta: accumulating ? 1 : 0,
            into: out, stride: width)
    }

    /// scores ← softmax(τ·û ûᵀ), û of the last iteration.
    private func attendToItself(
        _ part: UnsafePointer<Float>, scale: Float, iterations: Int, _ scores: UnsafeMutablePointer<Float>
    ) {
        guard let unit = unit?.base, let mixture = mixture?.base else {
            preconditionFailure("memory of self-self attention was not declared")
        }
        let stride = 3 * heads * headWidth
        for token in 0..<tokens { (unit + token * headWidth).update(from: part + token * stride, count: headWidth) }
        for iteration in 0...iterations {
            normaliseRows(unit)
            BLAS.multiply(
                tokens, tokens, headWidth, unit, stride: headWidth, unit, stride: headWidth, otherTransposed: true,
                into: scores, stride: tokens)
            RowKernels.softmax(scores, rows: tokens, columns: tokens, scale: scale, causal: false)
            guard iteration < iterations else { return }
            BLAS.multiply(
                tokens, headWidth, tokens, scores, stride: tokens, unit, stride: headWidth, into: mixture,
                stride: headWidth)
            unit.update(from: mixture, count: tokens * headWidth)
        }
    }

    /// Rows of length 1; a row of zeros stays. // [T, d_h]
    private func normaliseRows(_ rows: UnsafeMutablePointer<Float>) {
        for token in 0..<tokens {
            let row = rows + token * headWidth
            let length = BLAS.dot(row, row, count: headWidth).squareRoot()
            guard length > 0 else { continue }
            for i in 0..<headWidth { row[i] /= length }
        }
    }

    /// exp(−distance²/(2·deviation²)) of two patches, over c; nothing to and from other tokens. // [T, T]
    private static func neighbourhood(_ layout: TokenLayout, deviation: Float, scale: Float) -> FloatBuffer {
        let side = layout.side
        let result = FloatBuffer(layout.count * layout.count)
        let factors = (0..<side).map { exp(-Double($0 * $0) / (2 * Double(deviation * deviation))) }
        for (first, row) in layout.patchRows.enumerated() {
            for (second, column) in layout.patchRows.enumerated() {
                let (rows, columns) = (abs(first / side - second / side), abs(first % side - second % side))
                result.base[row * layout.count + column] = Float(factors[rows] * factors[columns]) / scale
            }
        }
        return result
    }
}
