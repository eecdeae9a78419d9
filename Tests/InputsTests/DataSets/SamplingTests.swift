import Foundation
import Inputs
import Testing

@Suite struct SamplingTests {
    @Test func everyKth() throws {
        // As many as the second-order paper's released code takes: 1 281 167 // 250.
        let papers = try ImageSampling.every(250).indices(of: 1_281_167)
        #expect(papers.count == 5124 && papers.first == 0 && papers.last == 250 * 5123)
        #expect(try ImageSampling.every(10).indices(of: 50_000).count == 5000)
        #expect(try ImageSampling.every(3).indices(of: 8) == [0, 3] && ImageSampling.every(8).indices(of: 8) == [0])
        #expect(inputError { try ImageSampling.every(9).indices(of: 8) } == .sampleTooSparse(every: 9, of: 8))
        #expect(inputError { try ImageSampling.every(.max).indices(of: 0) } == .sampleTooSparse(every: .max, of: 0))
    }

    @Test func first() throws {
        #expect(try ImageSampling.first(3).indices(of: 8) == [0, 1, 2])
        #expect(try ImageSampling.all.indices(of: 3) == [0, 1, 2])
    }

    @Test func randomIsTheSameEverywhere() throws {
        let sample = try ImageSampling.random(5, seed: 1).indices(of: 100)
        #expect(sample == sample.sorted() && Set(sample).count == 5)
        #expect(try ImageSampling.random(5, seed: 1).indices(of: 100) == sample)
        #expect(try ImageSampling.random(5, seed: 2).indices(of: 100) != sample)
        #expect(try ImageSampling.random(7, seed: 0).indices(of: 7) == Array(0..<7))
    }

    @Test(arguments: [ImageSampling.first(9), .random(9, seed: 0)]) func samplesLargerThanTheirSetAreRefused(
        sampling: ImageSampling
    ) {
        #expect(inputError { try sampling.indices(of: 8) } == .sampleTooLarge(wanted: 9, available: 8))
        #expect(inputError { try sampling.indices(of: 0) } == .sampleTooLarge(wanted: 9, available: 0))
    }

    @Test(arguments: [ImageSampling.every(0), .every(-1), .first(0), .random(0, seed: 0)])
    func impossibleSamplesAreRefused(sampling: ImageSampling) {
        guard case .outOfRange? = inputError({ try sampling.indices(of: 8) }) else {
            Issue.record("not refused")
            return
        }
    }
}
