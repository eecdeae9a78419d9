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
