import Foundation
import Pipeline

/// A deck of cards as a page holds it: as many as a browser stays quick with, and only the words and pictures that they
/// use.
struct DeckOfPage {
    let deck: CardDeck
    /// Cards of the whole deck.
    let total: Int

    /// A browser reads some ten thousand cards in a blink; more would make the page too large to send.
    private static let mostCards = 6000

    init(_ deck: CardDeck) {
        total = deck.cards.count
        self.deck = Self.reduced(deck)
    }

    /// As many cards of every group, those with the largest first number.
    private static func reduced(_ deck: CardDeck) -> CardDeck {
        var deck = deck
        if deck.cards.count > mostCards {
            let share = max(1, mostCards / max(deck.groups.count, 1))
            let kept = Dictionary(grouping: deck.cards.indices, by: { deck.cards[$0].group }).values.flatMap {
                indices in
                indices.sorted { a, b in
                    let (x, y) = (
                        deck.cards[a].values.first.flatMap { $0 } ?? -.infinity,
                        deck.cards[b].values.first.flatMap { $0 } ?? -.infinity
                    )
                    return x != y ? x > y : a < b
                }.prefix(share)
            }
            deck.cards = kept.sorted().map { deck.cards[$0] }
        }
        for pool in deck.pools.indices {
            let used = Set(deck.cards.flatMap { $0.texts[pool].words }).sorted()
            let places = Dictionary(uniqueKeysWithValues: zip(used, used.indices))
            deck.pools[pool].words = used.map { deck.pools[pool].words[$0] }
            for card in deck.cards.indices {
                deck.cards[card].texts[pool].words = deck.cards[card].texts[pool].words.compactMap { places[$0] }
            }
        }
        return deck
    }

    /// What the script fills.
    func section(_ index: Int) -> HTML {
        let groups = deck.groups.enumerated().map { "<option value=\"\($0)\">\(deck.grouping) \($1)</option>" as HTML }
        let pools = deck.pools.enumerated().map { "<option value=\"\($0)\">\($1.title)</option>" as HTML }
        let orders =
            deck.measures.enumerated().map { "<option value=\"m\($0)\">\($1.title)</option>" as HTML }
            + (deck.pools.first?.measures.enumerated().map { "<option value=\"t\($0)\">\($1.title)</option>" as HTML }
                ?? [])
        let left: HTML =
            total > deck.cards.count
            ? "<p class=\"foot\">\(deck.cards.count) of \(total) are on this page: of every \(deck.grouping) those with the largest “\(deck.measures.first?.title ?? "number")”. All are in the lists beside the database.</p>"
            : ""
        return """
            <section class="deck" id="cards-\(index)" data-deck="\(index)"><h3>\(deck.title)</h3>
            <form class="tools" role="search">
            <label>Search by word <input type="search" id="word-\(index)" name="word" autocomplete="off" spellcheck="false" placeholder="dog, red, wheel …"></label>
            <label>Words of <select name="pool">\(pools)</select></label>
            <label>Show <select name="group"><option value="">every \(deck.grouping)</option>\(groups)</select></label>
            <label>Sort by <select name="order"><option value="">weight of the word, then number</option>\(orders)</select></label>
            </form>
            <p class="count" role="status" aria-live="polite"></p>
            <div class="cards"></div>
            <p class="more"><button type="button" class="plain">Show more</button></p>
            <noscript><p class="missing">The cards need a script, which this browser does not run.</p></noscript>
            \(left)\(deck.notes.map { "<p class=\"foot\">\($0)</p>\n" as HTML })</section>

            """
    }

    /// - Throws: `EncodingError`.
    func data(_ index: Int) throws -> HTML {
        "<script type=\"application/json\" id=\"deck-\(index)\">\(try HTML.json(deck))</script>\n"
    }
}
