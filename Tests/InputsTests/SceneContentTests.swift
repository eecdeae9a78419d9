import Foundation
import Foundations
import Inputs
import Testing

/// Labels, masks, captions and splits say what the pictures show.
@Suite struct SceneContentTests {
    @Test(arguments: [SceneSplit.fit, .valR]) func everyRunShowsEveryConceptOnce(split: SceneSplit) throws {
        // Labels do not depend on the size of the picture, so a small one will do.
        let compositor = try World.compositor {
            $0.imageSize = 8
            $0.clutter = 0
        }
        let count = compositor.catalogue.concepts.count
        let labels = (0..<2 * count).map { compositor.scene(split, $0).label }
        #expect(labels.prefix(count).sorted() == Array(0..<count))
        #expect(labels.suffix(count).sorted() == Array(0..<count))
        #expect(labels.prefix(count) != labels.suffix(count))
    }

    @Test func masksHoldTheObjectsOfTheScene() throws {
        let compositor = try World.compositor()
        let size = compositor.recipe.imageSize
        var mainPixels = 0
        var pairs = 0
        for index in 0..<200 {
            let scene = compositor.scene(.seg, index)
            let main = scene.mask.count { $0 == 1 }
            let second = scene.mask.count { $0 == 2 }
            #expect(scene.mask.count == size * size && scene.image.pixels.count == size * size * 3)
            #expect(main > 0 && scene.mask.allSatisfy { $0 <= 2 })
            #expect(scene.secondLabel != scene.label)
            if scene.secondLabel == nil { #expect(second == 0) } else { pairs += 1 }
            mainPixels += main
        }
        #expect((70...130).contains(pairs))
        // Objects of 40 to 95 % of the width cover half of their squares: about a fifth of the scene.
        #expect((0.15...0.35).contains(Double(mainPixels) / Double(200 * size * size)))
    }

    @Test func maskCoversWhatTheSpriteCovers() throws {
        let width = 32
        let compositor = try World.compositor {
            $0.mainScale = 0.5...0.5
            $0.secondObjectProbability = 0
            $0.rotation = 0
            $0.channelGain = 0
            $0.clutter = 0
        }
        let sprites = try World.sprites()
        for index in 0..<100 {
            let scene = compositor.scene(.seg, index)
            let sprite = sprites[scene.label].pixels
            let opaque = stride(from: 0, to: sprite.count, by: 4).filter { sprite[$0 + 3] >= 128 }
            let covered = scene.mask.indices.filter { scene.mask[$0] == 1 }
            let expected = Double(opaque.count * width * width) / Double(Sprite.size * Sprite.size)
            #expect(abs(Double(covered.count) - expected) < 0.05 * Double(width * width), "scene \(index)")
            for c in 0..<3 {
                let drawn = opaque.reduce(0) { $0 + Int(sprite[$1 + c]) } / opaque.count
                let shown = covered.reduce(0) { $0 + Int(scene.image.pixels[$1 * 3 + c]) } / covered.count
                #expect(abs(drawn - shown) < 32, "scene \(index), channel \(c)")
            }
        }
    }

    @Test func captionNamesTheObjects() throws {
        let compositor = try World.compositor()
        let concepts = compositor.catalogue.concepts
        func words(_ label: Int) -> [String] { [concepts[label].name] + concepts[label].keywords }
        var named = 0
        for index in 0..<200 {
            let scene = compositor.scene(.val, index)
            let main = words(scene.label)
            // The main object stands first, and every template ends with its objects.
            #expect(main.contains { scene.caption.contains($0) }, "\(scene.caption)")
            #expect(
                words(scene.secondLabel ?? scene.label).contains { scene.caption.hasSuffix($0) }, "\(scene.caption)")
            if scene.caption.contains(main[0]) { named += 1 }
        }
        // The name is drawn two times in three.
        #expect((120...175).contains(named))
    }

    @Test func fitAndEvaluationShareNoImage() throws {
        let compositor = try World.compositor()
        func digests(_ split: SceneSplit) -> Set<String> {
            Set((0..<250).map { Digest.sha256(of: Data(compositor.scene(split, $0).image.pixels)) })
        }
        let (fit, val) = (digests(.fit), digests(.val))
        #expect(fit.count == 250 && val.count == 250)
        #expect(fit.isDisjoint(with: val))
    }

    @Test func smallestAndLargestRecipesMakeScenes() throws {
        for size in [8, 224, 1024] {
            let compositor = try World.compositor {
                $0.imageSize = size
                $0.mainScale = 0.01...1
                $0.secondScale = 0.01...1
                $0.secondObjectProbability = 1
                $0.rotation = 1000
                $0.hueTurn = 1000
                $0.channelGain = 1
                $0.greyProbability = 0.5
            }
            #expect(compositor.scene(.valR, 0).image.width == size)
        }
    }
}

extension SceneContentTests {
    /// For whoever uses the model without the scenes.
    @Test func theModelsSentencesLieBesideIt() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../models/emoji-clip/templates.txt")
        #expect(try PromptSet.templates(file) == SceneCaption.templates)
    }
}
