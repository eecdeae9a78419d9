import Foundation
@testable import Inputs
import Foundations
import Testing

/// Scenes of chosen objects show all of them.
@Suite struct ChosenObjectsTests {
    @Test(arguments: 0...SceneCompositor.mostOthers) func everyObjectIsVisible(others: Int) throws {
        let compositor = try World.compositor()
        let sprites = try World.sprites()
        var random = SplitMix64(seed: UInt64(others))
        var shares: [Double] = []
        for index in 0..<150 {
            let chosen = random.sample(others + 1, of: compositor.catalogue.concepts.count)
            let scene = compositor.scene(
                showing: chosen[0], beside: Array(chosen.dropFirst()), label: "test", index: UInt64(index))
            #expect(scene.label == chosen[0] && scene.otherLabels == Array(chosen.dropFirst()))
            #expect(scene.mask.allSatisfy { $0 <= others + 1 })
            for (number, concept) in chosen.enumerated() {
                let shown = scene.mask.count { Int($0) == number + 1 }
                let opaque = stride(from: 3, to: sprites[concept].pixels.count, by: 4).count {
                    sprites[concept].pixels[$0] >= 128
                }
                // A pencil covers a small part of its square.
                shares.append(Double(shown) / Double(opaque))
                #expect(shown >= 15, "scene \(index): object \(number) of \(chosen) shows \(shown) pixels")
            }
        }
        // Of an object at 40 % (30 %) of the width, 0.16 (0.09) of the sprite's pixels are there at all.
        let least = shares.min() ?? 0
        #expect(least > 0.04, "least \(least)")
    }

    @Test func mainObjectIsInFrontAndLargest() throws {
        let compositor = try World.compositor { $0.rotation = 0 }
        let sprites = try World.sprites()
        for index in 0..<50 {
            let main = (index * 7) % 800
            let scene = compositor.scene(
                showing: main, beside: [(main + 1) % 800, (main + 2) % 800], label: "front", index: UInt64(index))
            let shown = scene.mask.count { $0 == 1 }
            let opaque = stride(from: 3, to: sprites[main].pixels.count, by: 4).count {
                sprites[main].pixels[$0] >= 128
            }
            // At 40 % of the width at least, nothing hidden; thin lines lose some pixels to rounding.
            #expect(Double(shown) > 0.8 * 0.16 * Double(opaque), "scene \(index): \(shown) of \(opaque)")
        }
    }

    @Test func sceneDependsOnItsArgumentsAlone() throws {
        let compositor = try World.compositor()
        func bytes(_ main: Int, _ others: [Int], _ label: String, _ index: UInt64) -> Data {
            compositor.scene(showing: main, beside: others, label: label, index: index).bytes
        }
        let variants = [
            bytes(3, [4, 5], "a", 0), bytes(4, [3, 5], "a", 0), bytes(3, [5, 4], "a", 0), bytes(3, [4], "a", 0),
            bytes(3, [4, 5], "b", 0), bytes(3, [4, 5], "a", 1), bytes(3, [], "a", 0),
        ]
        #expect(Set(variants).count == variants.count)
        #expect(bytes(3, [4, 5], "a", 0) == variants[0])
        // Even a label that is a split's name has another stream.
        let val = compositor.scene(.val, 0)
        #expect(bytes(val.label, val.otherLabels, "val", 0) != val.bytes)
    }

    @Test func avoidedConceptsLeaveNoPieces() throws {
        // With everything avoided nothing is strewn.
        let world = try World.compositor()
        let concepts = world.catalogue.concepts.count
        let plain = try World.compositor { $0.clutter = 0 }
        let everything = Set(0..<concepts)
        let scene = world.scene(showing: 5, beside: [], label: "bare", index: 9, avoiding: everything)
        #expect(scene.image == plain.scene(showing: 5, beside: [], label: "bare", index: 9).image)
        let strewn = (0..<20).count {
            world.scene(showing: 5, beside: [], label: "bare", index: $0).image
                != plain.scene(showing: 5, beside: [], label: "bare", index: $0).image
        }
        #expect(strewn > 10)
    }

    @Test func impossibleRecipesStillMakeScenes() throws {
        let compositor = try World.compositor {
            $0.mainScale = 1...1
            $0.secondScale = 1...1
            $0.imageSize = 16
        }
        let scene = compositor.scene(showing: 0, beside: [1, 2, 3, 4], label: "crowd", index: 0)
        #expect(scene.mask.count == 256)
    }
}
