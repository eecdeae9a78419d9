/// The `capacity` largest of a stream of scores, each with a payload index; ties go to the earlier index.
///
/// The kept set does not depend on the order of insertion, so shards may finish in any order.
public struct BoundedHeap: Sendable {
    public struct Entry: Sendable, Equatable {
        public let score: Float
        public let index: Int32

        public init(score: Float, index: Int32) {
            self.score = score
            self.index = index
        }

        /// Whether this entry gives way to `other`.
        @inline(__always)
        func isWorse(than other: Entry) -> Bool {
            score != other.score ? score < other.score : index > other.index
        }
    }

    public let capacity: Int
    /// A binary heap with the worst entry first.
    private var entries: [Entry] = []

    public init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        entries.reserveCapacity(capacity)
    }

    public var count: Int { entries.count }

    /// The score that a new entry has to beat once the heap is full.
    public var smallestScore: Float? { entries.first?.score }

    /// Inserts a score if it belongs to the largest.
    /// - Returns: the entry that had to leave, or `.rejected`; the caller moves payloads accordingly.
    public mutating func insert(_ entry: Entry) -> Insertion {
        if entries.count < capacity {
            entries.append(entry)
            siftUp(entries.count - 1)
            return .added
        }
        guard let worst = entries.first, worst.isWorse(than: entry) else { return .rejected }
        entries[0] = entry
        siftDown(0)
        return .replaced(worst)
    }

    public enum Insertion: Sendable, Equatable {
        case added
        case replaced(Entry)
        case rejected
    }

    /// Largest first.
    public func sorted() -> [Entry] { entries.sorted { $1.isWorse(than: $0) } }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].isWorse(than: entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var worst = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].isWorse(than: entries[worst]) {
                worst = child
            }
            guard worst != parent else { return }
            entries.swapAt(parent, worst)
            parent = worst
        }
    }
}
