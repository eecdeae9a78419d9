import Attribution
import DenseMath
import Foundation

/// What images are ranked by for a label.
enum RecognitionScore: String, CaseIterable, Sendable, Codable {
    /// Softmax over all labels at the model's logit scale: the paper's baseline.
    case softmax
    /// The cosine itself.
    case cosine
    /// Feature surgery of the class token.
    case featureSurgery = "feature-surgery"

    /// The scores of all labels.
    /// - Parameter cosines: of the class token with every label. // [K]
    func scores(_ cosines: [Float], logitScale: Float) -> [Float] {
        switch self {
        case .cosine: return cosines
        case .featureSurgery:
            return FeatureSurgery.amongLabels(Tensor(shape: [1, cosines.count], elements: cosines), of: cosines[...])
                .elements
        case .softmax:
            let largest = cosines.max() ?? 0
            let exponentials = cosines.map { exp(Double(logitScale * ($0 - largest))) }
            let sum = exponentials.reduce(0, +)
            return exponentials.map { Float($0 / sum) }
        }
    }
}
