/// What the parameters of a CLIP are called in a state dict, and which way round they lie there.
public enum ParameterNaming: Equatable, Sendable {
    /// As in `CLIPModel` of `transformers`.
    case huggingFace
    /// As in openai/CLIP, which OpenCLIP took over.
    ///
    /// - Parameter textPrefix: what stands before the names of the text tower: nothing, or `text.` where OpenCLIP
    ///   built the same tower as a `CustomTextCLIP`.
    case openCLIP(textPrefix: String)

    /// One of a CLIP's two encoders.
    enum Tower { case image, text }

    /// The naming that a state dict follows, told by a name that each has and the others do not; nil where there
    /// is none.
    init?(of stateDict: [String: some Any]) {
        if stateDict["vision_model.embeddings.class_embedding"] != nil {
            self = .huggingFace
        } else if stateDict["visual.class_embedding"] != nil {
            self = .openCLIP(textPrefix: stateDict["text.token_embedding.weight"] == nil ? "" : "text.")
        } else {
            return nil
        }
    }

    // MARK: - Names

    var logitScale: String { "logit_scale" }

    var classEmbedding: String {
        switch self {
        case .huggingFace: "vision_model.embeddings.class_embedding"
        case .openCLIP: "visual.class_embedding"
        }
    }

    var patchEmbedding: String {
        switch self {
        case .huggingFace: "vision_model.embeddings.patch_embedding.weight"
        case .openCLIP: "visual.conv1.weight"
        }
    }

    var tokenEmbedding: String {
        switch self {
        case .huggingFace: "text_model.embeddings.token_embedding.weight"
        case .openCLIP(let prefix): "\(prefix)token_embedding.weight"
        }
    }

    func positionEmbedding(_ tower: Tower) -> String {
        switch self {
        case .huggingFace: "\(prefix(tower)).embeddings.position_embedding.weight"
        case .openCLIP: "\(prefix(tower))positional_embedding"
        }
    }

    /// ln_pre, of the image tower only.
    var inputNorm: String {
        switch self {
        // The name has been misspelt since the first release.
        case .huggingFace: "vision_model.pre_layrnorm"
        case .openCLIP: "visual.ln_pre"
        }
    }

    /// ln_post of the image tower, ln_final of the text tower.
    func outputNorm(_ tower: Tower) -> String {
        switch (self, tower) {
        case (.huggingFace, .image): "vision_model.post_layernorm"
        case (.huggingFace, .text): "text_model.final_layer_norm"
        case (.openCLIP, .image): "visual.ln_post"
        case (.openCLIP(let prefix), .text): "\(prefix)ln_final"
        }
    }

    /// The matrix into the joint space: `[d, D]`, or `[D, d]` where ``hasTransposedProjections``.
    func projection(_ tower: Tower) -> String {
        switch (self, tower) {
        case (.huggingFace, .image): "visual_projection.weight"
        case (.huggingFace, .text): "text_projection.weight"
        case (.openCLIP, .image): "visual.proj"
        case (.openCLIP(let prefix), .text): "\(prefix)text_projection"
        }
    }

    /// Whether embeddings are x·P rather than x·Pᵀ.
    var hasTransposedProjections: Bool { self != .huggingFace }

    func block(_ tower: Tower, _ layer: Int) -> BlockNames {
        switch self {
        case .huggingFace:
            let block = "\(prefix(tower)).encoder.layers.\(layer)"
            return BlockNames(
                attentionNorm: "\(block).layer_norm1",
                queryKeyValue: .apart(["q", "k", "v"].map { "\(block).self_attn.\($0)_proj" }),
                attentionOutput: "\(block).self_attn.out_proj", mlpNorm: "\(block).layer_norm2",
                mlpInput: "\(block).mlp.fc1", mlpOutput: "\(block).mlp.fc2")
        case .openCLIP:
            let block = "\(blocks(tower))\(layer)"
            return BlockNames(
                attentionNorm: "\(block).ln_1",
                queryKeyValue: .stacked(weight: "\(block).attn.in_proj_weight", bias: "\(block).attn.in_proj_bias"),
                attentionOutput: "\(block).attn.out_proj", mlpNorm: "\(block).ln_2",
                mlpInput: "\(block).mlp.c_fc", mlpOutput: "\(block).mlp.c_proj")
        }
    }

    /// What stands before a block's number.
    func blocks(_ tower: Tower) -> String {
        switch self {
        case .huggingFace: "\(prefix(tower)).encoder.layers."
        case .openCLIP: "\(prefix(tower))transformer.resblocks."
        }
    }

    private func prefix(_ tower: Tower) -> String {
        switch (self, tower) {
        case (.huggingFace, .image): "vision_model"
        case (.huggingFace, .text): "text_model"
        case (.openCLIP, .image): "visual."
        case (.openCLIP(let prefix), .text): prefix
        }
    }

    // MARK: - What is no parameter

    /// Numbers that OpenAI's files hold as tensors, and no other files do.
    static let openAIBuffers: Set<String> = ["input_resolution", "context_length", "vocab_size"]

    /// Whether a tensor holds nothing that was learned: position numbers, which older versions of `transformers`
    /// saved, the causal mask, and ``openAIBuffers``.
    func ignores(_ name: String) -> Bool {
        switch self {
        case .huggingFace: name.hasSuffix("_model.embeddings.position_ids")
        case .openCLIP:
            Self.openAIBuffers.contains(name) || name == "attn_mask" || name.hasSuffix(".attn_mask")
                || name == "position_ids" || name.hasSuffix(".position_ids")
        }
    }
}

/// The names of one transformer block. Linear layers and norms have a `.weight` and a `.bias`.
struct BlockNames {
    enum QueryKeyValue {
        /// Three linear layers.
        case apart([String])
        /// One matrix `[3D, D]` and one bias, query, key and value one below the other.
        case stacked(weight: String, bias: String)
    }

    let attentionNorm: String
    let queryKeyValue: QueryKeyValue
    let attentionOutput: String
    let mlpNorm: String
    let mlpInput: String
    let mlpOutput: String
}
