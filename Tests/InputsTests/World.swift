import CPNG
import Foundation
import Inputs
import Testing

/// The emoji world of the default recipe, read once for all tests.
enum World {
    private static let made = Result { try SceneCompositor(sources: EmojiSources()) }
    private static let drawn = Result {
        try EmojiSprites.load(EmojiSources(), concepts: compositor().catalogue.concepts)
    }

    static let textFont = URL(fileURLWithPath: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")

    static func compositor() throws -> SceneCompositor { try made.get() }
    static func sprites() throws -> [Sprite] { try drawn.get() }

    /// A compositor of another recipe or seed over the same sprites.
    static func compositor(seed: UInt64 = 0, _ change: (inout SceneRecipe) -> Void = { _ in }) throws -> SceneCompositor
    {
        var recipe = SceneRecipe()
        change(&recipe)
        return try SceneCompositor(catalogue: compositor().catalogue, sprites: sprites(), recipe: recipe, seed: seed)
    }
}

extension EmojiScene {
    /// Everything that is known of the scene, as bytes.
    var bytes: Data {
        Data(image.pixels) + Data(mask) + Data("\(label) \(secondLabel ?? -1) \(caption)\n".utf8)
    }
}

/// Decodes a PNG file by libpng.
func decodedPNG(_ url: URL) throws -> RGBImage {
    let data = try Data(contentsOf: url)
    var image = png_image()
    image.version = clens_png_image_version()
    defer { png_image_free(&image) }
    return try data.withUnsafeBytes { bytes in
        try #require(png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0)
        image.format = clens_png_format_rgb()
        var pixels = [UInt8](repeating: 0, count: Int(image.width) * Int(image.height) * 3)
        try #require(png_image_finish_read(&image, nil, &pixels, 0, nil) != 0)
        return RGBImage(width: Int(image.width), height: Int(image.height), pixels: pixels)
    }
}
