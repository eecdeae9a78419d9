/// Splits words into the symbols of the vocabulary by byte-pair encoding, and remembers them.
///
/// A word starts as one symbol a byte, the last with the end-of-word mark. As long as any two
/// neighbours have a merge, the one of the lowest rank is done, the leftmost of these first.
/// A heap holds the candidates, so that a word of n bytes takes O(n log n), however long.
///
/// Source: Sennrich et al. 2016, §3.2; order of merges as in `Word::merge_all` of the
/// `tokenizers` library, which matters where ranks do not follow the order of training.
///
/// One encoder serves one batch of texts: it is the batch's cache and scratch memory, so a
/// tokenizer needs neither lock nor shared state.
struct WordEncoder {
    private let symbols: ByteSymbols
    private let merges: MergeTable
    private var cache: [ByteString: [Int]]

    /// The ids of the one-byte symbols, indexed by byte: within a word, and at its end.
    struct ByteSymbols: Sendable {
        var inside: [Int]
        var atEnd: [Int]
    }

    /// - Parameter whole: words with one token each, whatever they consist of.
    init(symbols: ByteSymbols, merges: MergeTable, whole: [ByteString: Int] = [:]) {
        self.symbols = symbols
        self.merges = merges
        cache = whole.mapValues { [$0] }
    }

    /// The token ids of a word.
    mutating func encode(_ word: ByteString) -> [Int] {
        if let known = cache[word] { return known }
        let tokens = merged(word.bytes)
        cache[word] = tokens
        return tokens
    }

    // MARK: - Merging

    private struct Candidate: Comparable {
        var rank: Int
        var position: Int
        var result: Int

        static func < (a: Candidate, b: Candidate) -> Bool {
            (a.rank, a.position) < (b.rank, b.position)
        }
    }

    /// What a symbol becomes once its left neighbour has taken it in.
    private static let absorbed = -1

    private func merged(_ word: [UInt8]) -> [Int] {
        guard let last = word.last else { return [] }
        var ids = word.dropLast().map { symbols.inside[Int($0)] }
        ids.append(symbols.atEnd[Int(last)])

        // The symbols that are left, as a doubly linked list over their first positions.
        let end = ids.count
        var next = Array(1...end)
        var previous = Array(-1..<(end - 1))
        var candidates = MinimumHeap<Candidate>()

        func consider(_ position: Int) {
            guard position >= 0, next[position] < end,
                let merge = merges[ids[position], ids[next[position]]]
            else { return }
            candidates.insert(
                Candidate(rank: merge.rank, position: position, result: merge.result))
        }
        for position in ids.indices { consider(position) }

        while let candidate = candidates.popMinimum() {
            let position = candidate.position
            let right = next[position]
            // The candidate is stale if either symbol has been merged since.
            guard ids[position] != Self.absorbed, right < end,
                merges[ids[position], ids[right]]?.result == candidate.result
            else { continue }
            ids[position] = candidate.result
            ids[right] = Self.absorbed
            next[position] = next[right]
            if next[position] < end { previous[next[position]] = position }
            consider(previous[position])
            consider(position)
        }
        return ids.filter { $0 != Self.absorbed }
    }
}

/// A binary heap: inserting and taking out the least element in logarithmic time.
struct MinimumHeap<Element: Comparable> {
    private var elements: [Element] = []

    mutating func insert(_ element: Element) {
        var child = elements.count
        elements.append(element)
        while child > 0 {
            let parent = (child - 1) / 2
            guard elements[child] < elements[parent] else { return }
            elements.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popMinimum() -> Element? {
        guard let last = elements.indices.last else { return nil }
        elements.swapAt(0, last)
        let minimum = elements.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < elements.count && elements[child] < elements[least] {
                least = child
            }
            guard least != parent else { return minimum }
            elements.swapAt(parent, least)
            parent = least
        }
    }
}
