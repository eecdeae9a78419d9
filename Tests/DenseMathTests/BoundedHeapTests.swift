import DenseMath
import Foundations
import Testing

@Suite struct BoundedHeapTests {
    @Test func keepsTheLargestInAnyOrder() {
        var random = SplitMix64(seed: 5)
        // Few different scores, so that ties decide.
        let entries = (0..<200).map { BoundedHeap.Entry(score: Float(random.below(12)), index: Int32($0)) }
        let expected = entries.sorted { $0.score != $1.score ? $0.score > $1.score : $0.index < $1.index }.prefix(20)
        for _ in 0..<5 {
            var heap = BoundedHeap(capacity: 20)
            for i in random.permutation(entries.count) { _ = heap.insert(entries[i]) }
            #expect(heap.sorted() == Array(expected))
            #expect(heap.smallestScore == expected.last?.score)
        }
    }

    @Test func tellsWhoHadToLeave() {
        var heap = BoundedHeap(capacity: 2)
        #expect(heap.smallestScore == nil)
        #expect(heap.insert(.init(score: 1, index: 0)) == .added)
        #expect(heap.insert(.init(score: 3, index: 1)) == .added)
        #expect(heap.insert(.init(score: 1, index: 2)) == .rejected)
        #expect(heap.insert(.init(score: 2, index: 3)) == .replaced(.init(score: 1, index: 0)))
        #expect(heap.sorted().map(\.index) == [1, 3])
    }
}
