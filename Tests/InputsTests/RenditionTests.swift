import Inputs
import Testing

/// Sprites of the shifted split: other pictures, still premultiplied.
@Suite struct RenditionTests {
    @Test(arguments: Rendition.allCases) func changesPixelsWithinAlpha(rendition: Rendition) throws {
        var changed = 0
        for (label, sprite) in try World.sprites().enumerated() where label % 16 == 0 {
            let drawn = rendition(sprite)
            if drawn.pixels != sprite.pixels { changed += 1 }
            for offset in stride(from: 0, to: drawn.pixels.count, by: 4) {
                let colour = drawn.pixels[offset..<offset + 3]
                let alpha = drawn.pixels[offset + 3]
                #expect(colour.allSatisfy { $0 <= alpha })
                if rendition != .blurred { #expect(alpha == sprite.pixels[offset + 3]) }
                if rendition == .greyscale || rendition == .outline { #expect(Set(colour).count == 1) }
            }
        }
        // Of the 50, a few are grey by nature.
        #expect(changed >= 45)
    }
}
