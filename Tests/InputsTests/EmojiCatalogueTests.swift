import Inputs
import Testing

@Suite struct EmojiCatalogueTests {
    @Test func conceptsAreThoseOfTheEmojiWorld() throws {
        let concepts = try World.compositor().catalogue.concepts
        #expect(concepts.count == 800)
        #expect(Set(concepts.map(\.name)).count == 800)
        #expect(Set(concepts.map(\.scalar)).count == 800)
        #expect(
            Set(concepts.map(\.group)) == [
                "Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects",
            ])
        #expect(concepts.allSatisfy { $0.name == $0.name.lowercased() && !$0.keywords.contains($0.name) })
    }

    @Test func shipIsABoat() throws {
        let ship = try #require(World.compositor().catalogue.concepts.first { $0.scalar == "🚢" })
        #expect(ship.name == "ship")
        #expect(ship.keywords == ["boat", "passenger"])
        #expect(ship.group == "Travel & Places")
        #expect(ship.subgroup == "transport-water")
    }

    @Test func everyConceptHasASubgroupOfItsGroup() throws {
        let concepts = try World.compositor().catalogue.concepts
        let groups = Dictionary(grouping: concepts, by: \.subgroup).mapValues { Set($0.map(\.group)) }
        #expect(groups[""] == nil && groups.values.allSatisfy { $0.count == 1 })
        #expect(groups.count > 30)
        let mammals = Set(concepts.filter { $0.subgroup == "animal-mammal" }.map(\.name))
        #expect(mammals.isSuperset(of: ["dog", "cat", "horse", "pig"]) && !mammals.contains("bird"))
    }

    @Test func clockFacesAndSimilarMoonsAreLeftOut() throws {
        let concepts = try World.compositor().catalogue.concepts
        #expect(!concepts.contains { $0.name.hasSuffix("o’clock") || $0.name.hasSuffix("-thirty") })
        let moons = concepts.map(\.name).filter { $0.contains("moon") }
        #expect(
            moons.sorted() == [
                "crescent moon", "full moon", "full moon face", "moon cake", "moon viewing ceremony", "new moon",
            ])
    }

    @Test func everyConceptHasASprite() throws {
        let sprites = try World.sprites()
        #expect(sprites.count == 800)
        for sprite in sprites {
            #expect(sprite.pixels.count == Sprite.size * Sprite.size * 4)
            #expect(stride(from: 3, to: sprite.pixels.count, by: 4).contains { sprite.pixels[$0] > 128 })
        }
    }
}
