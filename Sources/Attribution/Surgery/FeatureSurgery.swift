import DenseMath
import Foundation

/// Similarities of image tokens with texts, without what all texts have in common.
///
/// CLIP Surgery's feature surgery (arXiv 2304.05653) subtracts from the product of a token's and a label's features,
/// channel by channel, its mean over all labels, each label weighted by how much the image shows it. Summed over the
/// channels that is, with A = I Tᵀ and I, T of unit length,
///
///     w = softmax_K(2·A[class token]);   w ← w / mean(w);   S = A·diag(w) − rowmean(A·diag(w)),
///
/// so that no tensor of tokens × labels × channels is needed. A single text is compared with the empty text instead:
/// S = I (T − T_empty)ᵀ.
public enum FeatureSurgery {
    /// S of one image.
    /// - Parameters:
    ///   - similarities: A. // [T, K]
    ///   - image: those of the image as a whole, which its class token has. // [K]
    /// - Returns: // [T, K]
    public static func amongLabels(_ similarities: Tensor, of image: ArraySlice<Float>) -> Tensor {
        var result = similarities
        let labels = similarities.rowWidth
        let weights = self.weights(image)
        for token in 0..<similarities.shape[0] {
            let row = token * labels..<(token + 1) * labels
            var mean = 0.0
            for (index, weight) in zip(row, weights) {
                result.elements[index] *= weight
                mean += Double(result.elements[index])
            }
            mean /= Double(labels)
            for index in row { result.elements[index] -= Float(mean) }
        }
        return result
    }

    /// w, of mean 1. // [K]
    static func weights(_ image: ArraySlice<Float>) -> [Float] {
        let largest = image.max() ?? 0
        let exponentials = image.map { exp(Double(2 * ($0 - largest))) }
        let mean = exponentials.reduce(0, +) / Double(exponentials.count)
        return exponentials.map { Float($0 / mean) }
    }

    /// S of each text by itself.
    /// - Parameters:
    ///   - similarities: A. // [T, K]
    ///   - empty: similarities with the empty text. // [T]
    /// - Returns: // [T, K]
    public static func single(_ similarities: Tensor, empty: [Float]) -> Tensor {
        precondition(
            similarities.shape[0] == empty.count, "\(similarities.shape[0]) tokens, \(empty.count) similarities")
        var result = similarities
        let labels = similarities.rowWidth
        for index in result.elements.indices { result.elements[index] -= empty[index / labels] }
        return result
    }
}
