import Attribution
import Pipeline
import Testing

@testable import Experiments
@testable import Pipeline

/// Thresholds, ratios and contrasts of maps of four pixels.
@Suite struct ExplainabilityScoresTests {
    /// Above 0.2 both pixels and no other, above 0.5 one of them.
    static let first = (map: [1, 0.5, 0.2, 0] as [Float], mask: [1, 1, 0, 0] as [UInt8], contrast: 0.65)
    /// Above 0.8 the pixel and no other.
    static let second = (map: [1, 0.8, 0, 0] as [Float], mask: [1, 0, 0, 0] as [UInt8], contrast: 1 - 0.8 / 3)
    /// Perfect, and the label is wherever pixels count.
    static let everywhere = (map: [1, 1, 0, 0] as [Float], mask: [1, 1, 255, 255] as [UInt8])
    static let blank: [Float] = [0, 0, 0, 0]

    /// The second of three images shows no label; by the second case maps are blank.
    static func parts() throws -> [ExplainabilityPart] {
        var (one, two) = (ExplainabilityPart(cases: 2), ExplainabilityPart(cases: 2))
        one.appendImage(predicted: 4, margin: 0.25)
        try one.appendLabel(7, mask: first.mask, maps: [first.map, blank])
        try one.appendLabel(5, mask: second.mask, maps: [second.map, blank])
        one.appendImage(predicted: 1, margin: 0.5)
        two.appendImage(predicted: 5, margin: 1)
        try two.appendLabel(5, mask: everywhere.mask, maps: [everywhere.map, blank])
        return [one, two]
    }

    static func reduced(_ parts: [ExplainabilityPart]) throws -> ExplainabilityScores {
        let stored = try parts.map { try $0.stored() }
        let sharding = try #require(Sharding(units: parts.count, unitsPerShard: 1))
        return try ExplainabilityScores(
            ShardOutputs(sharding: sharding) { stored[$0.index] }, cases: parts.first?.cases ?? 0)
    }

    @Test func theLowestOfTheBestThresholdsIsTaken() throws {
        var part = ExplainabilityPart(cases: 1)
        part.appendImage(predicted: 0, margin: 0)
        for pair in [Self.first, Self.second] { try part.appendLabel(0, mask: pair.mask, maps: [pair.map]) }
        let scores = try Self.reduced([part])
        // (1 + ½)/2 from 0.2 to 0.5 and (½ + 1)/2 from 0.8 to 1, (½ + ½)/2 in between, (⅔ + ½)/2 below, 0 at the end.
        let curve = Array(scores.curve(of: 0))
        for (index, value) in [
            (0, 7.0 / 12), (19, 7.0 / 12), (20, 0.75), (49, 0.75), (50, 0.5), (79, 0.5), (80, 0.75), (99, 0.75),
            (100, 0),
        ] {
            #expect(abs(curve[index] - value) < 1e-6, "at \(index) %: \(curve[index]), expected \(value)")
        }
        #expect(scores.best == [20] && scores.threshold(of: 0) == 0.2)
        #expect(scores.ratio(0, 0) == 1 && scores.ratio(1, 0) == 0.5)
    }

    @Test func everyCaseHasItsOwnThresholdAndNumbers() throws {
        let scores = try Self.reduced(try Self.parts())
        #expect(scores.images == 3 && scores.pairs == 3 && scores.cases == 2)
        #expect(scores.pairCounts == [2, 0, 1] && scores.labels == [7, 5, 5])
        #expect(scores.predicted == [4, 1, 5] && scores.margins == [0.25, 0.5, 1])
        // The third pair is right below every threshold but the last: ¾ becomes (1 + ½ + 1)/3.
        #expect(scores.best == [20, 0])
        #expect(abs(scores.curve(of: 0).reduce(0) { max($0, $1) } - 2.5 / 3) < 1e-6)
        #expect((0..<3).map { scores.ratio($0, 0) } == [1, 0.5, 1])
        // Nothing exceeds any threshold: no overlap, and no contrast either.
        #expect(scores.curve(of: 1).allSatisfy { $0 == 0 } && (0..<3).allSatisfy { scores.ratio($0, 1) == 0 })
        for (pair, expected) in [Self.first.contrast, Self.second.contrast].enumerated() {
            #expect(
                abs(Double(scores.contrast(pair, 0)) - expected) < 1e-6,
                "\(scores.contrast(pair, 0)), expected \(expected)")
            #expect(scores.contrast(pair, 1) == 0)
        }
        #expect(scores.contrast(2, 0).isNaN && scores.contrast(2, 1).isNaN)
    }

    @Test func pairsWithoutAContrastAreLeftOutOfItsMean() throws {
        let scores = try Self.reduced(try Self.parts())
        #expect(scores.rows { scores.ratio($0, 0) } == [[1.5, 2], [0, 0], [1, 1]])
        let contrasts = scores.rows { scores.contrast($0, 0) }
        #expect(contrasts.map { $0[1] } == [2, 0, 0])
        #expect(abs(contrasts[0][0] - Self.first.contrast - Self.second.contrast) < 1e-6 && contrasts[2][0] == 0)
    }

    @Test func oneShardAndSeveralAreTheSame() throws {
        let parts = try Self.parts()
        var whole = ExplainabilityPart(cases: 2)
        whole.appendImage(predicted: 4, margin: 0.25)
        try whole.appendLabel(7, mask: Self.first.mask, maps: [Self.first.map, Self.blank])
        try whole.appendLabel(5, mask: Self.second.mask, maps: [Self.second.map, Self.blank])
        whole.appendImage(predicted: 1, margin: 0.5)
        whole.appendImage(predicted: 5, margin: 1)
        try whole.appendLabel(5, mask: Self.everywhere.mask, maps: [Self.everywhere.map, Self.blank])
        let one = try storedTensors(of: Self.reduced([whole])).tensors
        let several = try storedTensors(of: Self.reduced(parts)).tensors
        for (name, tensor) in one { #expect(several[name] == tensor, "\(name)") }
        #expect(one.keys == several.keys)
        // A shard without a label adds images only.
        var empty = ExplainabilityPart(cases: 2)
        empty.appendImage(predicted: 9, margin: 0)
        let more = try Self.reduced(parts + [empty])
        let curves = try Self.reduced(parts).curves
        #expect(more.images == 4 && more.curves == curves && more.pairCounts == [2, 0, 1, 0])
    }

    @Test func withoutAnyLabelThereIsNothing() throws {
        var empty = ExplainabilityPart(cases: 2)
        empty.appendImage(predicted: 9, margin: 0)
        let scores = try ExplainabilityScores(try Self.reduced([empty]).stored())
        #expect(scores.images == 1 && scores.pairs == 0 && scores.cases == 2 && scores.best == [0, 0])
        #expect(scores.rows { scores.ratio($0, 0) } == [[0, 0]])
    }

    @Test func mapsOfAnotherSizeAreRefused() throws {
        var part = ExplainabilityPart(cases: 1)
        part.appendImage(predicted: 0, margin: 0)
        #expect(throws: SegmentationError.self) { try part.appendLabel(0, mask: [1, 0], maps: [[1, 0, 0]]) }
    }

    // MARK: Stored

    @Test func partsComeBack() throws {
        let value = try Self.parts()[0]
        let back = try ExplainabilityPart(value.stored())
        #expect(back.cases == 2 && back.predicted == value.predicted && back.margins == value.margins)
        #expect(
            back.pairCounts == [2, 0] && back.labels == [7, 5] && back.curves == value.curves
                && back.contrasts == value.contrasts)
        #expect(back.curves.count == 2 * 2 * 101)
        try expectRefusal(value, "curves", [2, 2, 100])
        try expectRefusal(value, "curves", [2, 202])
        try expectRefusal(value, "curves", [1, 2, 101])
        try expectRefusal(value, "contrasts", [2, 1])
        try expectRefusal(value, "margins", [1])
        try expectRefusal(value, "predicted", [1], integers: true)
        try expectRefusal(value, "labels", [3], integers: true)
        try expectRefusal(value, "pair-counts", [2], integers: true)
        try expectNoPartCanBeMissing(value)
        try expectRefusal(value, "pair-counts", numbers: [3, -1])
    }

    @Test func scoresComeBack() throws {
        let value = try Self.reduced(try Self.parts())
        let back = try ExplainabilityScores(value.stored())
        #expect(
            back.cases == 2 && back.predicted == value.predicted && back.margins == value.margins
                && back.labels == value.labels)
        #expect(back.pairCounts == value.pairCounts && back.best == value.best && back.ratios == value.ratios)
        #expect(
            zip(back.curves, value.curves).allSatisfy { abs($0 - $1) < 1e-7 } && back.curves.count == value.curves.count
        )
        #expect(back.contrasts.map(\.bitPattern) == value.contrasts.map(\.bitPattern))
        try expectRefusal(value, "curves", [2, 100])
        try expectRefusal(value, "curves", [202])
        try expectRefusal(value, "curves", [3, 101])
        try expectRefusal(value, "ratios", [3, 1])
        try expectRefusal(value, "contrasts", [2, 2])
        try expectRefusal(value, "best", [1], integers: true)
        try expectRefusal(value, "labels", [2], integers: true)
        try expectRefusal(value, "margins", [2])
        try expectRefusal(value, "pair-counts", [3], integers: true)
        try expectNoPartCanBeMissing(value)
        // A threshold that the grid does not have, and counts that lead back.
        try expectRefusal(value, "best", numbers: [0, 101])
        try expectRefusal(value, "best", numbers: [-1, 0])
        try expectRefusal(value, "pair-counts", numbers: [4, -2, 1])
    }
}
