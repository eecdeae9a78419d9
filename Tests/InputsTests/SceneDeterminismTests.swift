import Foundation
import Foundations
import Inputs
import Testing

/// Scene *i* of split *s* is the same bytes whenever and wherever it is made.
@Suite struct SceneDeterminismTests {
    /// SHA-256 of scenes 0 to 7 of each split: default recipe, seed 0, the packages of Debian 12.
    static let digests: [(SceneSplit, String)] = [
        (.train, "36c8cbcf695ccfd83f0c86fbeafd3582e98001bdb648b63cb8fdfcf3d03bc9a0"),
        (.fit, "74b99c18050b4b82962bae484b65958866a8c04b3133a7f4ab86e564ce94a84e"),
        (.val, "77fd69861a0496aacbe71345fa3ae3c71a5db2763d2c049c930287cff3232ebb"),
        (.seg, "b3388d09dc61a00fa1fa21d2b416d00fa36125b84d8c77b3d0f3984a32b0bed8"),
        (.valR, "94144d811070bf3acb7ba371819265db170df5f5a7b8eb5b796139b7b660a1ac"),
    ]

    @Test(arguments: digests) func bytesAreThoseOfEveryOtherMachine(split: SceneSplit, expected: String) throws {
        let compositor = try World.compositor()
        #expect(Digest.sha256(of: (0..<8).map { compositor.scene(split, $0).bytes }) == expected)
    }

    @Test(arguments: SceneSplit.allCases) func sceneDoesNotDependOnTheScenesBefore(split: SceneSplit) throws {
        let compositor = try World.compositor()
        let other = try SceneCompositor(sources: EmojiSources())
        let forwards = (0..<12).map { compositor.scene(split, $0).bytes }
        let backwards = (0..<12).reversed().map { other.scene(split, $0).bytes }
        #expect(forwards == backwards.reversed())
        #expect(compositor.scene(split, 7).bytes == forwards[7])
    }

    @Test func sceneDoesNotDependOnTheThread() async throws {
        let compositor = try World.compositor()
        let alone = (0..<24).map { compositor.scene(.fit, $0).bytes }
        let together = await withTaskGroup(of: (Int, Data).self) { group in
            for index in 0..<24 { group.addTask { (index, compositor.scene(.fit, index).bytes) } }
            return await group.reduce(into: [Int: Data]()) { $0[$1.0] = $1.1 }
        }
        #expect((0..<24).map { together[$0] } == alone)
    }

    @Test func seedSplitAndRecipeMakeOtherScenes() throws {
        let variants = [
            try World.compositor(),
            try World.compositor(seed: 1),
            try World.compositor { $0.channelGain = 0.21 },
            try World.compositor { $0.mainScale = 0.40...0.96 },
            try World.compositor { $0.rotation = 0.2 },
        ]
        let digests = variants.flatMap { compositor in
            SceneSplit.allCases.map { Digest.sha256(of: Data(compositor.scene($0, 3).image.pixels)) }
        }
        #expect(Set(digests).count == variants.count * SceneSplit.allCases.count)
    }
}
