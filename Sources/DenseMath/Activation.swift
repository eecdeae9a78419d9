/// The non-linearity between the two matrices of an MLP, by its name in a model's `hidden_act`.
///
/// Which one a checkpoint was trained with cannot be seen from its weights, and the other gives
/// embeddings that are plausible and wrong.
public enum Activation: String, CaseIterable, Codable, Hashable, Sendable {
    /// x · sigmoid(1.702 x): OpenAI's models.
    case quickGELU = "quick_gelu"
    /// x · Φ(x), with the error function and no approximation: most of OpenCLIP's models.
    case gelu
}
