import DenseMath
import Foundation
import Testing

@testable import Experiments

/// Which images a deck of cards may show.
@Suite struct CardPicturesTests {
    let layers: [Int: CardPictures.Layer] = [
        0: .init(pictures: [7, 3, 9, 5], projections: Tensor(shape: [2, 2], elements: [4, 3, 2, 1])),
        2: .init(pictures: [3, 1, 7, 2], projections: Tensor(shape: [2, 2], elements: [8, 7, 6, 5])),
    ]

    @Test func imagesStandOnceAndTheStrongestComeFirst() throws {
        let all = CardPictures(layers, budget: 100, count: 2)
        #expect(all.images == [1, 2, 3, 5, 7, 9])
        #expect(all.layers[0]?.pictures == [4, 2, 5, 3] && all.layers[2]?.pictures == [2, 0, 4, 1])
        // Three images are the first of some neuron; one of the others has room.
        let some = CardPictures(layers, budget: 4, count: 2)
        #expect(some.images == [3, 5, 7, 9])
        #expect(some.layers[0]?.pictures == [2, 0, 3, 1] && some.layers[2]?.pictures == [0, -1, 2, -1])
    }

    @Test func comesBackAsItWasStored() throws {
        var pictures = CardPictures(layers, budget: 4, count: 2)
        pictures.sheets = [Data([1, 2, 3]), Data([4])]
        let back = try CardPictures(pictures.stored())
        #expect(back.images == pictures.images && back.sheets == pictures.sheets && back.layers == pictures.layers)
        try expectRefusal(pictures, "sheets-lengths", numbers: [3, 2])
    }
}
