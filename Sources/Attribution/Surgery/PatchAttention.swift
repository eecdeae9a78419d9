import CLIPModel
import DenseMath
import Foundation

extension SurgeryRecipe.Attention {
    /// A part of what a block projects.
    enum Operand: Int {
        case query, key, value
    }

    /// What is compared with what: a and b of softmax(c·a bᵀ), one mixture of the values each.
    var compared: [(a: Operand, b: Operand)] {
        switch self {
        case .queryKey: [(.query, .key)]
        case .valueValue: [(.value, .value)]
        case .queryQuery: [(.query, .query)]
        case .queryQueryAndKeyKey: [(.query, .query), (.key, .key)]
        case .keyKeyNearby: [(.key, .key)]
        case .selfSelf: [(.query, .query), (.key, .key), (.value, .value)]
        case .identity: []
        }
    }
}

/// The attention term of a second path: another mixture of a block's own values. Belongs to one worker.
final class PatchAttention {
    private let attention: SurgeryRecipe.Attention
    private let compared: [(a: SurgeryRecipe.Attention.Operand, b: SurgeryRecipe.Attention.Operand)]
    private let heads: Int
    private let head: AttentionHead
    private var tokens: Int { head.tokens }
    private var headWidth: Int { head.width }
    /// Width D of all heads.
    private var width: Int { heads * headWidth }
    /// ω/c, to be added to products that softmax multiplies by c. // [T, T]
    private let neighbourhood: FloatBuffer?
    /// One head's û, and its mixture. // [T, d_h]
    private let unit, mixture: FloatBuffer?

    init(_ attention: SurgeryRecipe.Attention, _ configuration: VisionConfiguration) {
        (self.attention, compared) = (attention, attention.compared)
        heads = configuration.heads
        head = AttentionHead(tokens: configuration.tokens, width: configuration.headWidth)
        neighbourhood =
            if case .keyKeyNearby(let deviation) = attention {
                Self.neighbourhood(configuration.layout, deviation: deviation, scale: head.scale)
            } else { nil }
        (unit, mixture) =
            if case .selfSelf = attention {
                (FloatBuffer(head.tokens * head.width), FloatBuffer(head.tokens * head.width))
            } else { (nil, nil) }
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
        for index in 0..<heads {
            let (value, mixed) = (part(.value, index, projected), out + index * headWidth)
            if case .identity = attention {
                for token in 0..<tokens {
                    (mixed + token * width).update(from: value + token * 3 * width, count: headWidth)
                }
            }
            for (place, (a, b)) in compared.enumerated() {
                let share: Float
                if case .selfSelf(let iterations) = attention {
                    attendToItself(
                        part(a, index, projected), scale: head.scale * inputLength, iterations: iterations, scores)
                    share = 1 / Float(compared.count)
                } else {
                    compare(a, b, of: projected, head: index, into: scores)
                    share = 1
                }
                head.mix(
                    value, stride: 3 * width, by: scores, share: share, accumulating: place > 0, into: mixed,
                    mixedStride: width)
            }
        }
    }

    /// scores ← softmax(c·a bᵀ + ω) of one head. // [T, T]
    func compare(
        _ a: SurgeryRecipe.Attention.Operand, _ b: SurgeryRecipe.Attention.Operand,
        of projected: UnsafePointer<Float>, head index: Int, into scores: UnsafeMutablePointer<Float>
    ) {
        head.compare(
            part(a, index, projected), part(b, index, projected), stride: 3 * width,
            offset: neighbourhood.map { UnsafePointer($0.base) }, into: scores)
    }

    private func part(
        _ operand: SurgeryRecipe.Attention.Operand, _ head: Int, _ projected: UnsafePointer<Float>
    ) -> UnsafePointer<Float> {
        projected + operand.rawValue * width + head * headWidth
    }

    /// scores ← softmax(τ·û ûᵀ), û of the last iteration.
    private func attendToItself(
        _ part: UnsafePointer<Float>, scale: Float, iterations: Int, _ scores: UnsafeMutablePointer<Float>
    ) {
        guard let unit = unit?.base, let mixture = mixture?.base else {
            preconditionFailure("memory of self-self attention was not declared")
        }
        for token in 0..<tokens { (unit + token * headWidth).update(from: part + token * 3 * width, count: headWidth) }
        for iteration in 0...iterations {
            normaliseRows(unit)
            head.compare(unit, unit, stride: headWidth, scale: scale, into: scores)
            guard iteration < iterations else { return }
            head.mix(unit, stride: headWidth, by: scores, into: mixture, mixedStride: headWidth)
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
