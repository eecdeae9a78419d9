import Foundation
import Inputs
import Pipeline
import Safetensors
import Testing

@testable import Experiments

/// What the steps of the search store comes back, and what is not theirs is refused.
@Suite struct SearchArtefactTests {
    static let failure = SearchPictures.Facts(
        description: 1, objects: [], failure: .exited(status: -9, message: "two\nlines"), margin: nil)

    static func image(_ index: Int) -> RGBImage {
        RGBImage(width: 2, height: 2, pixels: (0..<12).map { UInt8((20 * index + $0) % 256) })
    }

    static func pictures() -> SearchPictures {
        var pictures = SearchPictures(size: 2)
        pictures.append(
            [Float(0.25), -0.125, 0].enumerated().map { index, margin in
                (image(index), .init(description: 0, objects: ["moon", "boot"], margin: margin))
            } + [(nil, failure)])
        return pictures
    }

    @Test func picturesComeBackWithWhatIsKnownOfThem() throws {
        let back = try SearchPictures(Self.pictures().stored())
        #expect(back.size == 2)
        #expect(back.facts.map(\.margin) == [0.25, -0.125, 0, nil] && back.facts.map(\.description) == [0, 0, 0, 1])
        #expect(back.facts[0].objects == ["moon", "boot"] && back.facts[3].failure == Self.failure.failure)
        // r·v has to be above zero.
        #expect(back.facts.map(\.isFooling) == [true, false, false, false])
        #expect(back.image(0)?.pixels == Self.image(0).pixels)
        #expect((1...3).allSatisfy { back.image($0) == nil })
    }

    @Test func shardsJoinInTheirOrder() {
        var all = SearchPictures(size: 2)
        all.append(Self.pictures())
        all.append(Self.pictures())
        #expect(all.facts.count == 8 && all.image(4)?.pixels == Self.image(0).pixels && all.image(5) == nil)
        #expect(all.facts[7].failure == Self.failure.failure)
    }

    /// Of all pictures, those of a large model would take gigabytes.
    @Test func ofEachSearchThePicturesThatFoolMostAreKept() {
        var pictures = SearchPictures(size: 2)
        let count = SearchPictures.kept + 4
        for _ in 0..<2 {
            pictures.append(
                (0..<count).map { index in
                    (Self.image(index), .init(description: 0, objects: [], margin: Float(index - 1) / 8))
                })
        }
        #expect(pictures.facts.count == 2 * count)
        let kept = (0..<count).filter { pictures.image($0) != nil }
        #expect(kept == Array(count - SearchPictures.kept..<count))
        #expect(kept.allSatisfy { pictures.image(count + $0)?.pixels == Self.image($0).pixels })
    }

    @Test(arguments: [[2, 2, 2, 3], [1, 2, 3, 2], [1, 12], [1, 1, 4, 3], [1, 2, 2, 3, 1]])
    func picturesOfAnotherShapeAreRefused(shape: [Int]) throws {
        let pixels = try StoredTensor(type: .uint8, shape: shape, data: Data(count: shape.reduce(1, *)))
        try expectRefusal(Self.pictures(), "pixels", of: pixels)
    }

    @Test func picturesWithoutFactsOrPixelsAreRefused() throws {
        let (tensors, metadata) = try storedTensors(of: Self.pictures())
        for facts in [[:], ["facts": ""], ["facts": "[]"], ["facts": "[{}]"]] {
            #expect(throws: (any Error).self) { try SearchPictures(.tensors(tensors, metadata: facts)) }
        }
        try expectRefusal(Self.pictures(), "places", of: StoredTensor([4] as [Int32], shape: [1]))
        try expectRefusal(Self.pictures(), "pixels", [1, 2, 2, 3])
        #expect(throws: PipelineError.self) { try SearchPictures(.tensors([:], metadata: metadata)) }
        #expect(throws: PipelineError.self) { try SearchPictures(.json(Data("{}".utf8))) }
    }

    @Test func wordsAndDescriptionsComeBack() throws {
        let search = try SearchSample.search()
        let words = SearchWords(
            searches: try SearchUnit.all(SearchSample.spec()).map { search($0) },
            withoutGap: .init(secondOrder: 1, indirect: 2), indirectFoundAgain: 0.75)
        let back = try SearchWords(words.stored())
        #expect(
            back.searches.map(\.phrases) == words.searches.map(\.phrases)
                && back.searches.map(\.unit) == words.searches.map(\.unit))
        #expect(
            back.searches.map(\.scores) == words.searches.map(\.scores) && back.withoutGap == words.withoutGap
                && back.indirectFoundAgain == 0.75)
        #expect(back.searches.map { $0.neurons.map(\.phrases) } == words.searches.map { $0.neurons.map(\.phrases) })
        #expect(throws: PipelineError.self) { try SearchWords(.tensors([:])) }
        #expect(throws: (any Error).self) { try SearchWords(.json(Data("{\"searches\": [{}]}".utf8))) }

        let descriptions = SearchDescriptions(descriptions: [[.init(text: "a “cat”", phrases: ["bone"])], []])
        #expect(try SearchDescriptions(descriptions.stored()).descriptions == descriptions.descriptions)
        #expect(throws: (any Error).self) { try SearchDescriptions(.json(Data("[]".utf8))) }
    }

    @Test func marginsHaveThreeDecimals() {
        #expect(
            [0, 0.0004, 0.0125, 0.9996, 1.0421].map(FoolingPicturesStep.decimals) == [
                "0.000", "0.000", "0.013", "1.000", "1.042",
            ])
    }

    @Test func searchesGoByPairThenMethodThenRepeat() throws {
        let spec = try SearchSample.spec()
        let units = SearchUnit.all(spec)
        #expect(units.count == 2 * 5 * 2 && Set(units).count == 20)
        #expect(units[0] == SearchUnit(pair: 0, method: .randomWords, repeat: 0))
        #expect(units[1] == SearchUnit(pair: 0, method: .randomWords, repeat: 1))
        #expect(units[9] == SearchUnit(pair: 0, method: .secondOrder, repeat: 1))
        #expect(units[10] == SearchUnit(pair: 1, method: .randomWords, repeat: 0))
        #expect(units[9].pictureID(3, spec) == "cat→dog/second-order/1/3")
    }
}
