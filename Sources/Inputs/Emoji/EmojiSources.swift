import Foundation
import Foundations

/// The files that the emoji world is made of, where Debian's packages put them.
public struct EmojiSources: Sendable {
    /// `fonts-noto-color-emoji`
    public var font = URL(fileURLWithPath: "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
    /// `unicode-cldr-core`
    public var annotations = URL(fileURLWithPath: "/usr/share/unicode/cldr/common/annotations/en.xml")
    /// `unicode-data`
    public var emojiTest = URL(fileURLWithPath: "/usr/share/unicode/emoji/emoji-test.txt")
    /// The digests that a manifest states, with which the bytes are compared whenever they are read.
    var stated: Stated?

    struct Stated {
        var dataset: String
        /// SHA-256 by the file's path.
        var digests: [URL: String]
    }

    public init() {}

    /// - Throws: ``InputError``: `.digestMismatch` where the bytes are not those that are stated.
    func contents(of file: URL, purpose: String) throws -> Data {
        let data = try InputError.contents(of: file, purpose: purpose)
        if let stated, let expected = stated.digests[file] {
            let found = Digest.sha256(of: data)
            guard found == expected else {
                throw InputError.digestMismatch(
                    dataset: stated.dataset, what: file.path, expected: expected, found: found)
            }
        }
        return data
    }
}

extension SceneCompositor {
    /// Reads the catalogue and the sprites.
    /// - Throws: ``InputError`` when a file is missing or malformed or the recipe is out of range.
    public init(sources: EmojiSources, recipe: SceneRecipe = SceneRecipe(), seed: UInt64 = 0) throws {
        let catalogue = try EmojiCatalogue(sources)
        let sprites = try EmojiSprites.load(sources, concepts: catalogue.concepts)
        try self.init(catalogue: catalogue, sprites: sprites, recipe: recipe, seed: seed)
    }
}
