import Foundation
import Pipeline
import Testing

@Suite struct FigureLayoutTests {
    @Test func distributionsCountEveryValueOnce() {
        let curve = FigureLayout.Curve(
            "c", distributionOf: [0, 0.05, 0.5, 1, 7, -3, .nan, .infinity], over: 0...1, bins: 4)
        #expect(curve.points.map(\.x) == [0.125, 0.375, 0.625, 0.875])
        let heights: [FigureLayout.Height] = [3, 0, 1, 2].map { .number($0 / 6) }
        #expect(curve.points.map(\.y) == heights)
        #expect(FigureLayout.Curve("none", distributionOf: [.nan], over: 0...1, bins: 4).points.isEmpty)
    }

    @Test func decksThatPointNowhereAreInconsistent() {
        func deck(_ change: (inout CardDeck) -> Void) -> Bool {
            var deck = CardDeck(
                title: "", notes: [], grouping: "layer", groups: ["0"], measures: [.init("m", isShare: true)],
                pools: [.init(title: "p", words: ["a"], measures: [])],
                cards: [
                    .init(
                        group: 0, name: "0.0", pictures: [0], strengths: [1], values: [nil],
                        texts: [.init(words: [0], weights: [1], values: [])])
                ],
                pictures: [.init(name: "i", caption: "")],
                sheets: .init(size: 8, columns: 1, rows: 1, count: 1, sheets: [Data()]))
            change(&deck)
            return deck.isConsistent
        }
        #expect(deck { _ in })
        let changes: [(inout CardDeck) -> Void] = [
            { $0.groups = [] }, { $0.cards[0].pictures = [1] }, { $0.cards[0].pictures = [-1] },
            { $0.cards[0].strengths = [] },
            { $0.cards[0].values = [] }, { $0.cards[0].texts = [] }, { $0.cards[0].texts[0].words = [1] },
            { $0.cards[0].texts[0].weights = [] }, { $0.cards[0].texts[0].values = [1] }, { $0.pictures = [] },
            { $0.sheets.count = .max },
            { $0.sheets.count = -1 }, { $0.sheets.columns = 0 }, { $0.sheets.rows = .max }, { $0.sheets.sheets = [] },
            { $0.group(-1) },
        ]
        for (index, change) in changes.enumerated() { #expect(!deck(change), "change \(index)") }
    }
}

extension CardDeck {
    fileprivate mutating func group(_ index: Int) { cards[0].group = index }
}
