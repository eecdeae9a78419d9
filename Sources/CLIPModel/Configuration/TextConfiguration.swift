import DenseMath

/// The architecture of CLIP's text tower, a transformer that attends backwards only.
public struct TextConfiguration: Equatable, Sendable {
    /// Rows of the token embedding; ids are below it.
    public var vocabularySize: Int
    /// Rows of the position embedding: the most tokens a text may have, 77 in OpenAI's models.
    public var contextLength: Int
    /// Numbers in a token of the residual stream; a multiple of ``heads``.
    public var width: Int
    public var layers: Int
    /// Attention heads a layer.
    public var heads: Int
    /// Neurons of a layer's MLP.
    public var mlpWidth: Int
    public var activation: Activation
    public var layerNormEpsilon: Float
    /// Which token's residual stream becomes the text's embedding.
    public var pooling: TextPooling

    public init(
        vocabularySize: Int, contextLength: Int, width: Int, layers: Int, heads: Int,
        mlpWidth: Int, activation: Activation, layerNormEpsilon: Float, pooling: TextPooling
    ) {
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.width = width
        self.layers = layers
        self.heads = heads
        self.mlpWidth = mlpWidth
        self.activation = activation
        self.layerNormEpsilon = layerNormEpsilon
        self.pooling = pooling
    }

    /// Numbers in a head's query, key and value.
    public var headWidth: Int { width / heads }
}

/// Where the text tower finds the end of a text, whose token it pools.
public enum TextPooling: Equatable, Sendable {
    /// At the first position with this id.
    case firstOccurrence(of: Int)
    /// At the (first) position with the highest id, as openai/CLIP does it.
    ///
    /// `transformers` does the same where `eos_token_id` is 2. That id stands, wrongly, in the
    /// `config.json` of OpenAI's own models, whose end token is 49407.
    case highestToken
}

extension TextConfiguration {
    /// The `eos_token_id` that does not name the end token but the way of old.
    private static let legacyEndToken = 2

    /// Reads `text_config`. The defaults are those of `CLIPTextConfig`.
    init(_ section: ConfigurationSection) throws(ConfigurationError) {
        typealias Limits = ArchitectureLimits
        vocabularySize = try section.integer(
            "vocab_size", default: 49408, in: Limits.vocabularySize)
        contextLength = try section.integer(
            "max_position_embeddings", default: 77, in: Limits.contextLength)
        width = try section.integer("hidden_size", default: 512, in: Limits.width)
        layers = try section.integer("num_hidden_layers", default: 12, in: Limits.layers)
        heads = try section.integer("num_attention_heads", default: 8, in: Limits.heads)
        mlpWidth = try section.integer("intermediate_size", default: 2048, in: Limits.mlpWidth)
        activation = try section.choice("hidden_act", default: .quickGELU)
        layerNormEpsilon = Float(
            try section.number("layer_norm_eps", default: 1e-5, in: Limits.layerNormEpsilon))
        let endToken = try section.integer(
            "eos_token_id", default: 49407, in: 0...(vocabularySize - 1))
        pooling =
            endToken == Self.legacyEndToken
            ? .highestToken : .firstOccurrence(of: endToken)

        guard width.isMultiple(of: heads) else {
            throw section.invalid(
                "num_attention_heads", .divisor(of: width), found: .integer(heads))
        }
    }
}
