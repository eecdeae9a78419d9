import DenseMath

extension StatedConfiguration {
    /// The name of OpenCLIP's configuration in a model folder.
    static let openCLIPFile = "open_clip_config.json"

    /// Reads the object `model_cfg` of an `open_clip_config.json`.
    ///
    /// Defaults are those of OpenCLIP. A key that OpenCLIP does not know is refused, and so is one that asks for
    /// what is not CLIP's architecture: another image tower, another pooling, another text tower.
    ///
    /// - Parameter file: the outermost object.
    /// - Throws: ``ConfigurationError`` with path, key and expectation.
    ///
    /// Source: OpenCLIP `model.py`, `CLIPVisionCfg` and `CLIPTextCfg`.
    init(openCLIP file: ConfigurationSection) throws(ConfigurationError) {
        let model = try file.requiredSection("model_cfg")
        let quickGELU = model.withoutNulls()["quick_gelu"] != nil
        let isQuick = try model.withoutNulls().boolean("quick_gelu", default: false)
        let activation: Activation = isQuick ? .quickGELU : .gelu
        try OpenCLIPKeys.model.check(model)
        let vision = try model.requiredSection("vision_cfg")
        try OpenCLIPKeys.imageTower.check(vision)
        let text = try model.requiredSection("text_cfg")
        try OpenCLIPKeys.textTower.check(text)
        configuration = CLIPConfiguration(
            vision: try VisionConfiguration(openCLIP: vision.withoutNulls(), activation: activation),
            text: try TextConfiguration(openCLIP: text.withoutNulls(), activation: activation),
            embeddingWidth: try model.requiredInteger("embed_dim", in: ArchitectureLimits.embeddingWidth))
        imageActivationSource = quickGELU ? .configurationFile : .formatDefault
        textActivationSource = imageActivationSource
    }
}

extension VisionConfiguration {
    fileprivate init(openCLIP section: ConfigurationSection, activation: Activation) throws(ConfigurationError) {
        typealias Limits = ArchitectureLimits
        imageSize = try section.edge("image_size", default: 224, in: Limits.imageSize)
        patchSize = try section.edge("patch_size", default: 16, in: 1...imageSize)
        width = try section.integer("width", default: 768, in: Limits.width)
        layers = try section.integer("layers", default: 12, in: Limits.layers)
        heads = width / (try section.integer("head_width", default: 64, in: 1...width))
        mlpWidth = try section.mlpWidth(width: width)
        layerNormEpsilon = try section.layerNormEpsilon()
        self.activation = activation

        guard imageSize.isMultiple(of: patchSize) else {
            throw section.invalid("patch_size", .divisor(of: imageSize), found: .integer(patchSize))
        }
        guard Limits.heads.contains(heads), width.isMultiple(of: heads) else {
            throw section.invalid("head_width", .divisor(of: width))
        }
    }
}

extension TextConfiguration {
    fileprivate init(openCLIP section: ConfigurationSection, activation: Activation) throws(ConfigurationError) {
        typealias Limits = ArchitectureLimits
        vocabularySize = try section.integer("vocab_size", default: 49408, in: Limits.vocabularySize)
        contextLength = try section.integer("context_length", default: 77, in: Limits.contextLength)
        width = try section.integer("width", default: 512, in: Limits.width)
        layers = try section.integer("layers", default: 12, in: Limits.layers)
        heads = try section.integer("heads", default: 8, in: Limits.heads)
        mlpWidth = try section.mlpWidth(width: width)
        layerNormEpsilon = try section.layerNormEpsilon()
        self.activation = activation
        pooling = .highestToken
        guard width.isMultiple(of: heads) else {
            throw section.invalid("heads", .divisor(of: width), found: .integer(heads))
        }
    }
}

extension ConfigurationSection {
    /// One number, or the same number twice, for height and width.
    fileprivate func edge(
        _ key: String, default standard: Int, in range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int {
        guard case .array(let sides)? = self[key] else { return try integer(key, default: standard, in: range) }
        guard sides.count == 2, sides[0] == sides[1], case .integer(let side) = sides[0], range.contains(side) else {
            throw invalid(key, .integer(range))
        }
        return side
    }

    /// Neurons of a layer: the width times `mlp_ratio`, cut to an integer.
    fileprivate func mlpWidth(width: Int) throws(ConfigurationError) -> Int {
        let limits = ArchitectureLimits.mlpWidth
        let ratios = Double(limits.lowerBound) / Double(width)...Double(limits.upperBound) / Double(width)
        let neurons = Double(width) * (try number("mlp_ratio", default: 4, in: ratios))
        return min(max(Int(neurons), limits.lowerBound), limits.upperBound)
    }

    /// `norm_kwargs` may set ε and nothing else.
    fileprivate func layerNormEpsilon() throws(ConfigurationError) -> Float {
        guard let norm = try section("norm_kwargs") else { return 1e-5 }
        if let other = norm.keys.first(where: { $0 != "eps" }) { throw norm.unsupported(other) }
        return Float(try norm.number("eps", default: 1e-5, in: ArchitectureLimits.layerNormEpsilon))
    }
}

/// The keys that one object of OpenCLIP's configuration may have.
struct OpenCLIPKeys: Sendable {
    /// Keys that are read.
    let read: Set<String>
    /// Keys that change no number of a trained model.
    let withoutEffect: Set<String>
    /// Keys of architectures that are not CLIP's own, with the values that leave it as it is. `null` always does.
    let neutral: [String: [JSONValue]]

    /// - Throws: ``ConfigurationError/unsupportedKey`` for the first key, by name, that is of none of these kinds.
    func check(_ section: ConfigurationSection) throws(ConfigurationError) {
        for key in section.keys where !read.contains(key) && !withoutEffect.contains(key) {
            guard let value = section[key], let allowed = neutral[key], value == .null || allowed.contains(value) else {
                throw section.unsupported(key)
            }
        }
    }

    static let model = OpenCLIPKeys(
        read: ["embed_dim", "vision_cfg", "text_cfg", "quick_gelu"],
        // Where the logits' scale begins in training, how it is stored, and whether the text tower is a module of
        // its own, which the names of the weights show.
        withoutEffect: ["custom_text", "init_logit_scale", "nonscalar_logit_scale", "cast_dtype", "output_dict"],
        neutral: ["init_logit_bias": [], "multimodal_cfg": []])

    static let imageTower = OpenCLIPKeys(
        read: ["image_size", "patch_size", "width", "layers", "head_width", "mlp_ratio", "norm_kwargs"],
        // Dropout of patches is for training; the sizes of a pooler and the settings of timm mean nothing without
        // one; fixed positions are stored like learned ones; a norm of one token is the same before and after
        // that token is picked.
        withoutEffect: [
            "patch_dropout", "output_tokens", "attn_pooler_queries", "attn_pooler_heads", "pos_embed_type",
            "final_ln_after_pool", "timm_model_pretrained", "timm_pool", "timm_proj", "timm_proj_bias", "timm_drop",
            "timm_drop_path",
        ],
        neutral: blocks.merging([
            "timm_model_name": [], "attentional_pool": [.boolean(false)], "no_ln_pre": [.boolean(false)],
            "pool_type": [.string("tok")],
        ]) { $1 })

    static let textTower = OpenCLIPKeys(
        read: ["context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "norm_kwargs"],
        // The ids of padding and of the end are for other poolings; the rest is for text towers of `transformers`.
        withoutEffect: [
            "pad_id", "eos_id", "output_tokens", "final_ln_after_pool", "hf_model_pretrained", "hf_proj_type",
            "hf_pooler_type",
        ],
        neutral: blocks.merging([
            "hf_model_name": [], "hf_tokenizer_name": [], "tokenizer_mode": [], "tokenizer_kwargs": [.object([:])],
            "embed_cls": [.boolean(false)], "no_causal_mask": [.boolean(false)], "pool_type": [.string("argmax")],
            "proj_type": [.string("linear")], "proj_bias": [.boolean(false)],
        ]) { $1 })

    /// What both towers' transformer blocks can be made to differ in.
    private static let blocks: [String: [JSONValue]] = [
        "ls_init_value": [], "act_kwargs": [.object([:])], "block_type": [.string("default")],
        "qk_norm": [.boolean(false)], "scaled_cosine_attn": [.boolean(false)], "scale_heads": [.boolean(false)],
        "scale_attn_inner": [.boolean(false)], "scale_attn": [.boolean(false)], "scale_fc": [.boolean(false)],
    ]
}

extension PreprocessingConfiguration {
    /// Mean and standard deviation of red, green and blue in OpenAI's training images.
    static let openAIMean: [Double] = [0.48145466, 0.4578275, 0.40821073]
    static let openAIStandardDeviation: [Double] = [0.26862954, 0.26130258, 0.27577711]

    /// What OpenAI's models take: the shorter edge resized with Pillow's bicubic filter, the centre, and the mean
    /// and standard deviation of OpenAI's training images.
    public static func openAI(imageSize: Int) -> PreprocessingConfiguration {
        PreprocessingConfiguration(
            resize: .shortestEdge(imageSize), resampling: .bicubic, crop: Size(height: imageSize, width: imageSize),
            rescaleFactor: 1 / 255, mean: openAIMean.map { Float($0) },
            standardDeviation: openAIStandardDeviation.map { Float($0) })
    }

    /// Reads the object `preprocess_cfg` of an `open_clip_config.json`, as OpenCLIP does for inference. What is
    /// absent or `null` is as for OpenAI's models.
    ///
    /// - Parameters:
    ///   - file: the outermost object.
    ///   - imageSize: height and width of the model's input, which is what images come out as.
    /// - Throws: ``ConfigurationError`` with path, key and expectation.
    ///
    /// Source: OpenCLIP `transform.py`.
    init(openCLIP file: ConfigurationSection, imageSize: Int) throws(ConfigurationError) {
        self = .openAI(imageSize: imageSize)
        guard let section = try file.section("preprocess_cfg")?.withoutNulls() else { return }
        let known: Set = ["size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color"]
        if let other = section.keys.first(where: { !known.contains($0) }) {
            throw section.unsupportedPreprocessing(other)
        }

        _ = try section.choice("mode", default: ColourMode.rgb)
        let square: [JSONValue] = [.integer(imageSize), .array([.integer(imageSize), .integer(imageSize)])]
        if let size = section["size"], !square.contains(size) { throw section.invalid("size", .exactly(imageSize)) }
        mean = try section.numbers("mean", default: Self.openAIMean, in: -1e6...1e6).map { Float($0) }
        standardDeviation = try section.numbers("std", default: Self.openAIStandardDeviation, in: 1e-6...1e6)
            .map { Float($0) }
        // "random" chooses among filters in training only.
        resampling =
            try section.choice("interpolation", default: Interpolation.bicubic) == .bilinear ? .bilinear : .bicubic
        switch try section.choice("resize_mode", default: ResizeMode.shortest) {
        case .shortest: break
        case .longest:
            throw section.unsupportedPreprocessing(
                "resize_mode", supported: [ResizeMode.shortest, .squash].map(\.rawValue))
        case .squash:
            resize = .exact(Size(height: imageSize, width: imageSize))
            crop = nil
        }
    }

    private enum ColourMode: String, CaseIterable { case rgb = "RGB" }
    private enum Interpolation: String, CaseIterable { case bicubic, bilinear, random }
    /// `longest` pads, for which ``Resize`` has no word.
    private enum ResizeMode: String, CaseIterable { case shortest, longest, squash }
}
