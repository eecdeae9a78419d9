import Foundation

/// How a model's images are prepared: resized, cropped, scaled to [0, 1], normalized.
public struct PreprocessingConfiguration: Equatable, Sendable {
    /// How an image is resized, or nil where it is not.
    public var resize: Resize?
    /// The filter of the resizing.
    public var resampling: Resampling
    /// The size of the part around the centre that is kept, or nil where all is.
    public var crop: Size?
    /// What a byte is multiplied by before it is normalized; 1 where that is left out.
    public var rescaleFactor: Double
    /// What is subtracted from red, green and blue.
    public var mean: [Float]
    /// What red, green and blue are divided by after that.
    public var standardDeviation: [Float]

    /// Pixels.
    public struct Size: Equatable, Sendable {
        public var height: Int
        public var width: Int

        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    public enum Resize: Equatable, Sendable {
        /// So that the shorter edge has this length; height and width keep their ratio.
        case shortestEdge(Int)
        /// To this height and width, whatever the ratio was.
        case exact(Size)
    }

    /// Pillow's filters, by its numbers.
    public enum Resampling: Int, CaseIterable, Sendable {
        case nearest, lanczos, bilinear, bicubic, box, hamming
    }

    public init(
        resize: Resize?, resampling: Resampling, crop: Size?, rescaleFactor: Double,
        mean: [Float], standardDeviation: [Float]
    ) {
        self.resize = resize
        self.resampling = resampling
        self.crop = crop
        self.rescaleFactor = rescaleFactor
        self.mean = mean
        self.standardDeviation = standardDeviation
    }
}

extension PreprocessingConfiguration {
    /// Reads the `preprocessor_config.json` of a Hugging Face CLIP folder.
    ///
    /// A key that is absent has the default of `CLIPImageProcessor`; sizes may be written as
    /// numbers, the way of old, or as objects.
    ///
    /// - Parameters:
    ///   - folder: has `preprocessor_config.json`.
    ///   - imageSize: height and width of the model's input, to which images must come out.
    /// - Throws: ``ConfigurationError`` with path, key and expectation.
    ///
    /// Source: `transformers` `image_processing_clip.py`.
    public init(folder: URL, imageSize: Int) throws(ConfigurationError) {
        let file = try ConfigurationSection(
            contentsOf: folder.appendingPathComponent("preprocessor_config.json"))

        resize =
            try file.boolean("do_resize", default: true) ? try Self.resize(file) : nil
        crop =
            try file.boolean("do_center_crop", default: true) ? try Self.crop(file) : nil
        resampling = try Self.resampling(file)
        rescaleFactor =
            try file.boolean("do_rescale", default: true)
            ? try file.number("rescale_factor", default: 1 / 255, in: 1e-6...1) : 1
        if try file.boolean("do_normalize", default: true) {
            mean = try file.numbers(
                "image_mean", default: Self.openAIMean, in: -1e6...1e6
            ).map { Float($0) }
            standardDeviation = try file.numbers(
                "image_std", default: Self.openAIStandardDeviation, in: 1e-6...1e6
            ).map { Float($0) }
        } else {
            mean = [0, 0, 0]
            standardDeviation = [1, 1, 1]
        }
        try checkOutput(imageSize: imageSize, file)
    }

    private static func resampling(
        _ file: ConfigurationSection
    ) throws(ConfigurationError) -> Resampling {
        let numbers = 0...(Resampling.allCases.count - 1)
        let number = try file.integer(
            "resample", default: Resampling.bicubic.rawValue, in: numbers)
        guard let resampling = Resampling(rawValue: number) else {
            throw file.invalid("resample", .integer(numbers))
        }
        return resampling
    }

    /// The images that come out must be of the size that the model takes.
    private func checkOutput(
        imageSize: Int, _ file: ConfigurationSection
    ) throws(ConfigurationError) {
        let expected = Size(height: imageSize, width: imageSize)
        if let crop {
            guard crop == expected else { throw file.invalid("crop_size", .exactly(imageSize)) }
        } else {
            // Without a crop, only a resize to a fixed size makes images of one size.
            guard resize == .exact(expected) else {
                throw file.invalid("size", .exactly(imageSize))
            }
        }
    }

    // MARK: - Sizes

    private static let edges = ArchitectureLimits.imageSize

    private static func resize(_ file: ConfigurationSection) throws(ConfigurationError) -> Resize {
        guard let value = file["size"] else { return .shortestEdge(224) }
        if case .integer(let edge) = value, edges.contains(edge) { return .shortestEdge(edge) }
        // A longest edge would bound the other: a rule that no CLIP uses.
        guard case .object = value, let size = try file.section("size"),
            size["longest_edge"] ?? .null == .null
        else { throw file.invalid("size", .size) }
        if size["shortest_edge"] ?? .null != .null {
            return .shortestEdge(try size.integer("shortest_edge", default: 224, in: edges))
        }
        return .exact(try Self.size("size", file))
    }

    private static func crop(_ file: ConfigurationSection) throws(ConfigurationError) -> Size {
        guard file["crop_size"] != nil else { return Size(height: 224, width: 224) }
        return try size("crop_size", file)
    }

    /// A height and a width, or one number for both.
    private static func size(
        _ key: String, _ file: ConfigurationSection
    ) throws(ConfigurationError) -> Size {
        if case .integer(let edge)? = file[key], edges.contains(edge) {
            return Size(height: edge, width: edge)
        }
        guard case .object? = file[key], let size = try file.section(key),
            size["height"] != nil, size["width"] != nil
        else { throw file.invalid(key, .size) }
        return Size(
            height: try size.integer("height", default: 224, in: edges),
            width: try size.integer("width", default: 224, in: edges))
    }
}
