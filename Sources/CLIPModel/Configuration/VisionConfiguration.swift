import DenseMath

/// The architecture of CLIP's image tower, a vision transformer.
public struct VisionConfiguration: Equatable, Sendable {
    /// Height and width of the input, in pixels; a multiple of ``patchSize``.
    public var imageSize: Int
    /// Height and width of a patch, in pixels.
    public var patchSize: Int
    /// Numbers in a token of the residual stream; a multiple of ``heads``.
    public var width: Int
    public var layers: Int
    /// Attention heads a layer.
    public var heads: Int
    /// Neurons of a layer's MLP.
    public var mlpWidth: Int
    public var activation: Activation
    public var layerNormEpsilon: Float

    public init(
        imageSize: Int, patchSize: Int, width: Int, layers: Int, heads: Int, mlpWidth: Int,
        activation: Activation, layerNormEpsilon: Float
    ) {
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.width = width
        self.layers = layers
        self.heads = heads
        self.mlpWidth = mlpWidth
        self.activation = activation
        self.layerNormEpsilon = layerNormEpsilon
    }

    /// Red, green and blue.
    public static let channels = 3
    /// Numbers in a head's query, key and value.
    public var headWidth: Int { width / heads }
    /// Patches in a row and in a column.
    public var gridSize: Int { imageSize / patchSize }
    /// Where the class token and the patches stand.
    public var layout: TokenLayout { TokenLayout(side: gridSize) }
    /// Number T of tokens.
    public var tokens: Int { layout.count }
}

/// Where the tokens of an image stand in the residual stream: first those that are no patches, then the patches row by row.
public struct TokenLayout: Equatable, Sendable {
    /// Tokens before the patches.
    public let prefix: Int
    /// The row of the class token, whose embedding is the image's.
    public let classToken: Int
    /// Patches in a row and in a column.
    public let side: Int

    /// CLIP's: the class token, then the patches.
    public init(side: Int) { (prefix, classToken, self.side) = (1, 0, side) }

    public var patches: Int { side * side }
    /// Number T of all tokens.
    public var count: Int { prefix + patches }
    /// The rows of the patches.
    public var patchRows: Range<Int> { prefix..<count }

    /// The class token's row among those of a batch. // [batch · T]
    public func classRow(of image: Int) -> Int { image * count + classToken }
}

extension VisionConfiguration {
    /// Reads `vision_config`. The defaults are those of `CLIPVisionConfig`.
    init(_ section: ConfigurationSection) throws(ConfigurationError) {
        typealias Limits = ArchitectureLimits
        imageSize = try section.integer("image_size", default: 224, in: Limits.imageSize)
        patchSize = try section.integer("patch_size", default: 32, in: 1...imageSize)
        width = try section.integer("hidden_size", default: 768, in: Limits.width)
        layers = try section.integer("num_hidden_layers", default: 12, in: Limits.layers)
        heads = try section.integer("num_attention_heads", default: 12, in: Limits.heads)
        mlpWidth = try section.integer("intermediate_size", default: 3072, in: Limits.mlpWidth)
        activation = try section.choice("hidden_act", default: .quickGELU)
        layerNormEpsilon = Float(
            try section.number("layer_norm_eps", default: 1e-5, in: Limits.layerNormEpsilon))

        guard imageSize.isMultiple(of: patchSize) else {
            throw section.invalid(
                "patch_size", .divisor(of: imageSize), found: .integer(patchSize))
        }
        guard width.isMultiple(of: heads) else {
            throw section.invalid(
                "num_attention_heads", .divisor(of: width), found: .integer(heads))
        }
        let channels = try section.integer("num_channels", default: 3, in: 1...Int.max)
        guard channels == Self.channels else {
            throw section.invalid("num_channels", .exactly(Self.channels))
        }
    }
}
