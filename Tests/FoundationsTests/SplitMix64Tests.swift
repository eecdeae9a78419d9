import Foundations
import Testing

@Suite struct SplitMix64Tests {
    /// The first numbers of the reference implementation for seeds 0 and 1234567.
    @Test func knownAnswers() {
        var zero = SplitMix64(seed: 0)
        #expect(
            (0..<3).map { _ in zero.next() } == [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f])
        var other = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in other.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }

    @Test func streamsDifferByNameIndexAndSeed() {
        func first(_ seed: UInt64, _ label: String, _ index: UInt64) -> UInt64 {
            var random = SplitMix64(seed: seed, label: label, index: index)
            return random.next()
        }
        let numbers = [first(1, "a", 0), first(1, "a", 1), first(1, "b", 0), first(2, "a", 0)]
        #expect(Set(numbers).count == 4)
        #expect(first(1, "a", 0) == numbers[0])
    }

    @Test func numberedStreamsDiffer() {
        var seen: Set<UInt64> = []
        for seed in 0..<20 {
            for stream in 0..<50 {
                var random = SplitMix64(seed: UInt64(seed), stream: UInt64(stream))
                for _ in 0..<5 { seen.insert(random.next()) }
            }
        }
        #expect(seen.count == 5000)
    }

    @Test func samplesHoldNoNumberTwice() {
        var random = SplitMix64(seed: 3)
        for (count, bound) in [(0, 5), (1, 1), (5, 5), (17, 1000), (9, 4)] {
            let sample = random.sample(count, of: bound)
            #expect(sample.count == min(count, bound))
            #expect(Set(sample).count == sample.count)
            #expect(sample.allSatisfy { (0..<bound).contains($0) })
        }
        #expect(random.permutation(50).sorted() == Array(0..<50))
    }

    @Test func numbersStayInTheirRange() {
        var random = SplitMix64(seed: 4)
        for _ in 0..<1000 {
            #expect((0..<7).contains(random.below(7)))
            #expect((0..<1).contains(random.uniform()))
            #expect((-2...3).contains(random.uniform(-2...3)))
        }
    }
}
