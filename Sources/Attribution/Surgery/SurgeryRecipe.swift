import CLIPModel

/// How a second path through the last blocks of an image tower reads out what each patch shows.
///
/// The tower itself runs as it is. In each of its last blocks the second path s takes an attention term of the
/// same queries, keys and values,
///
///     s ← [s] + Proj( Σ_j softmax(S_j) v )      and, where the recipe keeps it,      s ← s + MLP(ln_2(s)),
///
/// and at the end the class token is that of the tower. Weights are never changed. Sources: CLIP Surgery (Li et al.,
/// arXiv 2304.05653), MaskCLIP (arXiv 2112.01071), SCLIP (arXiv 2312.01597), ClearCLIP (arXiv 2407.12442),
/// NACLIP (arXiv 2404.08181), GEM (arXiv 2312.00878).
public struct SurgeryRecipe: Sendable, Hashable {
    /// Who attends to whom on the second path: c = d_h^(−½), softmax by rows.
    public enum Attention: Sendable, Hashable {
        /// softmax(c·q kᵀ), the tower's own.
        case queryKey
        /// softmax(c·v vᵀ)
        case valueValue
        /// Each token to itself.
        case identity
        /// softmax(c·q qᵀ)
        case queryQuery
        /// softmax(c·q qᵀ) + softmax(c·k kᵀ)
        case queryQueryAndKeyKey
        /// softmax(c·k kᵀ + ω), ω = exp(−distance²/(2·deviation²)) of two patches, in patches, and 0 for the class token.
        case keyKeyNearby(deviation: Float)
        /// The mean over u ∈ {q, k, v} of softmax(τ·û ûᵀ): û starts as u/‖u‖ and becomes so many times what
        /// softmax(τ·û ûᵀ) û has as its direction; τ is c times the mean length of the tokens after ln_1.
        case selfSelf(iterations: Int)
    }

    /// What rows and files call it.
    public var name: String
    /// The last blocks that have a second path; 0 for the tower as it is.
    public var depth: Int
    public var attention: Attention
    /// Whether the second path starts with the residual stream that enters the first of these blocks.
    public var keepsResidual: Bool
    public var keepsMLP: Bool

    public init(_ name: String, depth: Int, attention: Attention, keepsResidual: Bool, keepsMLP: Bool) {
        precondition(depth >= 0)
        (self.name, self.depth, self.attention) = (name, depth, attention)
        (self.keepsResidual, self.keepsMLP) = (keepsResidual, keepsMLP)
    }
}

extension SurgeryRecipe {
    /// The tower's own tokens.
    public static let plain = SurgeryRecipe("clip", depth: 0, attention: .queryKey, keepsResidual: true, keepsMLP: true)

    /// CLIP Surgery's architecture surgery; the paper takes the last 6 blocks of 12.
    public static func surgery(depth: Int) -> SurgeryRecipe {
        SurgeryRecipe("surgery", depth: depth, attention: .valueValue, keepsResidual: true, keepsMLP: false)
    }

    public static let maskCLIP = SurgeryRecipe(
        "maskclip", depth: 1, attention: .identity, keepsResidual: true, keepsMLP: true)
    public static let sclip = SurgeryRecipe(
        "sclip", depth: 1, attention: .queryQueryAndKeyKey, keepsResidual: true, keepsMLP: true)
    public static let clearCLIP = SurgeryRecipe(
        "clearclip", depth: 1, attention: .queryQuery, keepsResidual: false, keepsMLP: false)
    public static let naclip = SurgeryRecipe(
        "naclip", depth: 1, attention: .keyKeyNearby(deviation: 5), keepsResidual: false, keepsMLP: false)

    public static func gem(depth: Int) -> SurgeryRecipe {
        SurgeryRecipe("gem", depth: depth, attention: .selfSelf(iterations: 1), keepsResidual: true, keepsMLP: false)
    }
}

extension SurgeryRecipe.Attention {
    /// What the tower has to keep of each block of the second path.
    var needs: CaptureRequest {
        if case .selfSelf = self { [.queryKeyValue, .attentionNormalised] } else { [.queryKeyValue] }
    }
}
