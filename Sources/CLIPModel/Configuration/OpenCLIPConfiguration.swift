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
