import Attribution
import Testing

@Suite struct SegmentationCountsTests {
    static func isClose(_ found: Double, _ expected: Double) -> Bool { abs(found - expected) < 1e-12 }

    @Test(arguments: try MeasureFixture.load().images) func measuresAreThoseOfScikitLearn(_ image: MeasureFixture.Image)
        throws
    {
        let counts = try SegmentationCounts(map: image.map, mask: image.mask, threshold: image.threshold)
        #expect(Self.isClose(counts.pixelAccuracy, image.pixelAccuracy), "\(counts)")
        #expect(Self.isClose(counts.background.ratio, image.background), "\(counts)")
        #expect(Self.isClose(counts.foreground.ratio, image.foreground), "\(counts)")
        #expect(Self.isClose(counts.meanIntersectionOverUnion, (image.background + image.foreground) / 2), "\(counts)")
        let precision = try SegmentationCounts.pooledAveragePrecision(map: image.map, mask: image.mask)
        #expect(Self.isClose(precision, image.averagePrecision), "\(precision), not \(image.averagePrecision)")
        #expect(try SegmentationCounts(map: image.map, mask: image.mask, rule: .above(image.threshold)) == counts)
    }

    /// The ratios of all images together are not the means of theirs.
    @Test func countsAddUp() throws {
        let fixture = try MeasureFixture.load()
        var sum = SegmentationCounts()
        for image in fixture.images {
            sum += try SegmentationCounts(map: image.map, mask: image.mask, threshold: image.threshold)
        }
        #expect(Self.isClose(sum.pixelAccuracy, fixture.together.pixelAccuracy), "\(sum)")
        #expect(Self.isClose(sum.background.ratio, fixture.together.background), "\(sum)")
        #expect(Self.isClose(sum.foreground.ratio, fixture.together.foreground), "\(sum)")
        let labelled = fixture.images.flatMap(\.mask).filter { $0 != 255 }
        #expect(sum.labelled == labelled.count)
    }

    @Test func countsByHand() throws {
        // The first three are correct, the next two are not; the last two do not count.
        let counts = try SegmentationCounts(
            map: [0.9, 0.5, 0.1, 0.8, 0.2, 1, 0], mask: [1, 0, 0, 0, 1, 255, 255], threshold: 0.5)
        #expect(counts.labelled == 5 && counts.correct == 3)
        #expect(counts.background == SegmentationCounts.Overlap(intersection: 2, union: 4))
        #expect(counts.foreground == SegmentationCounts.Overlap(intersection: 1, union: 3))
        // The mean, 0.5, is above neither 0.5.
        #expect(try SegmentationCounts(map: [0.9, 0.5, 0.1, 0.5], mask: [1, 0, 0, 0], rule: .aboveMean).correct == 4)
    }

    @Test func whatIsNotDefinedIsNotANumber() throws {
        let none = try SegmentationCounts(map: [0.2, 0.9], mask: [255, 255], threshold: 0.5)
        #expect(none == SegmentationCounts())
        #expect(none.pixelAccuracy.isNaN && none.foreground.ratio.isNaN && none.meanIntersectionOverUnion.isNaN)
        #expect(try SegmentationCounts.pooledAveragePrecision(map: [0.2, 0.9], mask: [255, 255]) == 0)
        #expect(try SegmentationCounts.pooledAveragePrecision(map: [.nan, 0.9], mask: [0, 1]) == 0)
        let spoiled = try SegmentationCounts(map: [.nan, 0.9], mask: [1, 1], threshold: 0.5)
        #expect(spoiled.foreground == SegmentationCounts.Overlap(intersection: 1, union: 2))
    }

    @Test func whatCannotBeComparedIsRefused() {
        let cases: [([Float], [UInt8], SegmentationError)] = [
            ([], [], .emptyMask), ([1], [], .emptyMask), ([], [1], .sizesDiffer(map: 0, mask: 1)),
            ([1, 2, 3], [0, 1], .sizesDiffer(map: 3, mask: 2)), ([1, 0], [1, 2], .unknownLabel(2, pixel: 1)),
        ]
        for (map, mask, error) in cases {
            #expect(throws: error) { try SegmentationCounts(map: map, mask: mask, threshold: 0.5) }
            #expect(throws: error) { try SegmentationCounts(map: map, mask: mask, rule: .aboveMean) }
            #expect(throws: error) { try SegmentationCounts.pooledAveragePrecision(map: map, mask: mask) }
        }
    }
}
