extension CLIPConfiguration {
    /// Tensors of a state dict that hold no parameters: the numbers from 0 up, which older
    /// versions of `transformers` saved.
    public static let ignoredTensors: Set<String> = [
        "text_model.embeddings.position_ids", "vision_model.embeddings.position_ids",
    ]

    /// The parameters of a `CLIPModel` of `transformers`, by their names in its state dict.
    ///
    /// Matrices are `[out, in]`, as in `torch.nn.Linear`: y = x·Wᵀ + b.
    public var expectedShapes: [(name: String, shape: [Int])] {
        let visionWidth = vision.width
        let textWidth = text.width
        return [
            ("logit_scale", []),
            ("text_model.embeddings.token_embedding.weight", [text.vocabularySize, textWidth]),
            ("text_model.embeddings.position_embedding.weight", [text.contextLength, textWidth]),
        ]
            + Self.encoder(
                "text_model", width: textWidth, mlpWidth: text.mlpWidth, layers: text.layers)
            + Self.layerNorm("text_model.final_layer_norm", width: textWidth)
            + [
                ("vision_model.embeddings.class_embedding", [visionWidth]),
                (
                    "vision_model.embeddings.patch_embedding.weight",
                    [visionWidth, VisionConfiguration.channels, vision.patchSize, vision.patchSize]
                ),
                (
                    "vision_model.embeddings.position_embedding.weight",
                    [vision.tokens, visionWidth]
                ),
            ]
            // The name has been misspelt since the first release.
            + Self.layerNorm("vision_model.pre_layrnorm", width: visionWidth)
            + Self.encoder(
                "vision_model", width: visionWidth, mlpWidth: vision.mlpWidth,
                layers: vision.layers)
            + Self.layerNorm("vision_model.post_layernorm", width: visionWidth)
            + [
                ("visual_projection.weight", [embeddingWidth, visionWidth]),
                ("text_projection.weight", [embeddingWidth, textWidth]),
            ]
    }

    /// Checks that a checkpoint has the parameters of this architecture, all of them and no others.
    ///
    /// - Parameters:
    ///   - shapes: the shape of each of the checkpoint's tensors; ``ignoredTensors`` may be there.
    ///   - path: the checkpoint, for the error.
    /// - Throws: ``ConfigurationError/parametersDisagree(path:missing:unexpected:mismatched:)``
    ///   with every disagreement, those of one kind in the order of ``expectedShapes`` or, where
    ///   that does not know them, of their names.
    public func check(
        shapes: [String: [Int]], path: String
    ) throws(ConfigurationError) {
        var unexpected = Set(shapes.keys).subtracting(Self.ignoredTensors)
        var missing: [String] = []
        var mismatched: [ConfigurationError.ShapeMismatch] = []
        for (name, expected) in expectedShapes {
            unexpected.remove(name)
            guard let found = shapes[name] else {
                missing.append(name)
                continue
            }
            if found != expected {
                mismatched.append(.init(name: name, expected: expected, found: found))
            }
        }
        guard missing.isEmpty, unexpected.isEmpty, mismatched.isEmpty else {
            throw .parametersDisagree(
                path: path, missing: missing, unexpected: unexpected.sorted(),
                mismatched: mismatched)
        }
    }

    // MARK: - Parts

    private typealias Shapes = [(name: String, shape: [Int])]

    private static func encoder(
        _ tower: String, width: Int, mlpWidth: Int, layers: Int
    ) -> Shapes {
        (0..<layers).flatMap { layer -> Shapes in
            let prefix = "\(tower).encoder.layers.\(layer)"
            return ["k", "v", "q", "out"].flatMap {
                linear("\(prefix).self_attn.\($0)_proj", from: width, to: width)
            }
                + layerNorm("\(prefix).layer_norm1", width: width)
                + linear("\(prefix).mlp.fc1", from: width, to: mlpWidth)
                + linear("\(prefix).mlp.fc2", from: mlpWidth, to: width)
                + layerNorm("\(prefix).layer_norm2", width: width)
        }
    }

    private static func linear(_ name: String, from input: Int, to output: Int) -> Shapes {
        [("\(name).weight", [output, input]), ("\(name).bias", [output])]
    }

    private static func layerNorm(_ name: String, width: Int) -> Shapes {
        [("\(name).weight", [width]), ("\(name).bias", [width])]
    }
}
