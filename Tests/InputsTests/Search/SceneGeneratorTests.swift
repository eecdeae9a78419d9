import Foundation
@testable import Inputs
import Foundations
import Testing

/// Pictures of the emoji world show the class, what the phrases name, and never the forbidden class.
@Suite struct SceneGeneratorTests {
    static let pairs = [
        ("cat", "dog"), ("automobile", "horse"), ("delivery truck", "ship"), ("automobile", "ship"), ("deer", "dog"),
        ("pig", "rabbit"), ("guitar", "violin"),
    ]

    func generator(relatives: Bool = true) throws -> SceneGenerator {
        try SceneGenerator(compositor: World.compositor(), excludesRelatives: relatives)
    }

    func request(
        _ phrases: [String], shown: String = "cat", forbidden: String = "dog", id: String = "p", seed: UInt64 = 1,
        size: Int = 64
    ) -> PictureRequest {
        PictureRequest(
            id: id, prompt: PictureDescription(text: "", phrases: phrases), shown: shown, forbidden: forbidden,
            seed: seed, size: size)
    }

    func names(_ phrase: String, shown: String = "cat", forbidden: String = "dog", relatives: Bool = true) throws
        -> [String]
    {
        let generator = try generator(relatives: relatives)
        return generator.concepts(for: phrase, shown: shown, forbidden: forbidden).map {
            generator.compositor.catalogue.names[$0]
        }
    }

    @Test func phrasesNameSprites() throws {
        #expect(try names("ship") == ["ship"])
        #expect(try names("two old Ships") == ["ship"])
        #expect(try names("fire engine") == ["fire engine"])
        // A keyword of several concepts.
        #expect(try names("boat").contains("ship") && names("boat").count > 1)
        #expect(try names("qwertz").isEmpty && names("").isEmpty && names("of the").isEmpty)
    }

    @Test func forbiddenAndShownNeverComeBack() throws {
        #expect(try names("dog").isEmpty && names("cat").isEmpty)
        // A poodle is a dog by its keywords.
        #expect(try names("poodle").isEmpty && names("poodle", relatives: false).isEmpty)
        // A horse shows no dog, but is of its subgroup.
        #expect(try names("horse").isEmpty)
        #expect(try names("horse", relatives: false) == ["horse"])
        // A fire engine shares no word with a delivery truck, but its subgroup.
        #expect(try names("fire engine", shown: "ship", forbidden: "delivery truck").isEmpty)
    }

    @Test(arguments: [true, false]) func picturesShowNothingForbidden(relatives: Bool) throws {
        let generator = try generator(relatives: relatives)
        let concepts = generator.compositor.catalogue.concepts
        var random = SplitMix64(seed: 8)
        for (shown, forbidden) in Self.pairs {
            let excluded = generator.excluded(forbidden: forbidden)
            let requests = (0..<30).map { number in
                // Half of the phrases are of the forbidden class's surroundings.
                let near = excluded.sorted().prefix(2).map { concepts[$0].name }
                let far = random.sample(3, of: concepts.count).map { concepts[$0].keywords.first ?? concepts[$0].name }
                return request(
                    [forbidden, shown] + near + far, shown: shown, forbidden: forbidden, id: "\(number)",
                    seed: UInt64(number))
            }
            for outcome in try generator.pictures(requests) {
                let picture = try outcome.get()
                #expect(!picture.objects.contains(shown) && Set(picture.objects).count == picture.objects.count)
                for object in picture.objects {
                    let concept = try #require(concepts.first { $0.name == object })
                    for text in [concept.name] + concept.keywords {
                        #expect(!Wording.mentions(text, forbidden), "\(object)")
                    }
                    if relatives {
                        let subgroup = concepts.first { $0.name == forbidden }?.subgroup
                        #expect(concept.subgroup != subgroup, "\(object)")
                    }
                }
            }
        }
    }

    @Test func objectsAreThoseOfThePhrases() throws {
        let found = try generator().pictures([
            request(["ship", "violin", "keyboard", "boot", "rose", "qwertz"]), request([]),
        ]).map { try $0.get() }
        #expect(found[0].objects.count == SceneCompositor.mostOthers)
        #expect(found[0].objects.contains("ship") && found[0].objects.contains("violin"))
        #expect(found[1].objects.isEmpty && found[1].image != found[0].image)
    }

    @Test func pictureDependsOnItsRequestAlone() throws {
        let generator = try generator()
        let requests = [
            request(["boat", "music"]), request(["boat", "music"], seed: 2), request(["boat", "music"], id: "q"),
            request(["boat"]),
            request(["boat", "music"], shown: "owl"),
        ]
        let together = try generator.pictures(requests)
        for (index, request) in requests.enumerated() {
            #expect(try generator.pictures([request]) == [together[index]])
        }
        #expect(Set(try together.map { try $0.get().image.pixels }).count == requests.count)
    }

    @Test func impossibleRequestsAreRefused() throws {
        let generator = try generator()
        #expect(throws: SearchError.unknownConcept(name: "unicycle rider")) {
            try generator.pictures([request([], shown: "unicycle rider")])
        }
        #expect(throws: SearchError.contradictoryRequest(shown: "dog", forbidden: "dog")) {
            try generator.pictures([request([], shown: "dog")])
        }
        #expect(throws: SearchError.contradictoryRequest(shown: "poodle", forbidden: "dog")) {
            try generator.pictures([request([], shown: "poodle")])
        }
        #expect(throws: SearchError.contradictoryRequest(shown: "poodle", forbidden: "dog")) {
            try generator.check(shown: "poodle", forbidden: "dog")
        }
        #expect(throws: SearchError.unknownConcept(name: "unicycle rider")) {
            try generator.check(shown: "unicycle rider", forbidden: "dog")
        }
        try generator.check(shown: "cat", forbidden: "dog")
        #expect(try generator.pictures([request([])]) { true } == [.failure(.cancelled)])
        #expect(
            try generator.pictures([request([], size: 224)]) == [.failure(.wrongSize(found: [64, 64], expected: 224))])
    }

    @Test func identityKnowsTheWorld() throws {
        let identities = [
            try generator().identity, try generator(relatives: false).identity,
            try SceneGenerator(compositor: World.compositor(seed: 4)).identity,
            try SceneGenerator(compositor: World.compositor { $0.clutter = 0 }).identity,
        ]
        #expect(Set(identities).count == identities.count)
        #expect(try generator().identity == identities[0])
    }
}
