import Foundation

/// The files that the emoji world is made of, where Debian's packages put them.
public struct EmojiSources: Sendable {
    /// `fonts-noto-color-emoji`
    public var font = URL(fileURLWithPath: "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
    /// `unicode-cldr-core`
    public var annotations = URL(fileURLWithPath: "/usr/share/unicode/cldr/common/annotations/en.xml")
    /// `unicode-data`
    public var emojiTest = URL(fileURLWithPath: "/usr/share/unicode/emoji/emoji-test.txt")

    public init() {}
}

extension SceneCompositor {
    /// Reads the catalogue and the sprites.
    /// - Throws: ``InputError`` when a file is missing or malformed or the recipe is out of range.
    public init(sources: EmojiSources, recipe: SceneRecipe = SceneRecipe(), seed: UInt64 = 0) throws {
        let catalogue = try EmojiCatalogue(emojiTest: sources.emojiTest, annotations: sources.annotations)
        let sprites = try EmojiSprites.load(font: sources.font, concepts: catalogue.concepts)
        try self.init(catalogue: catalogue, sprites: sprites, recipe: recipe, seed: seed)
    }
}
