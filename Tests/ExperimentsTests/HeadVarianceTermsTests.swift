import CLIPModel
import DenseMath
import Foundations
import Lens
import Pipeline
import Safetensors
import TestSupport
import Testing

@testable import Experiments

/// Variances of heads image by image: their sums against the moments, their intervals against ratios by hand.
@Suite struct HeadVarianceTermsTests {
    static let (d, imageCount, capacity, texts) = (10, 11, 4, 3)

    func forEachBatch(_ workspace: DirectEffectsWorkspace, _ images: [UInt8], _ body: (DirectEffects) -> Void) {
        let size = images.count / Self.imageCount
        images.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            for start in stride(from: 0, to: Self.imageCount, by: Self.capacity) {
                body(workspace.run(base + start * size, batch: min(Self.capacity, Self.imageCount - start)))
            }
        }
    }

    /// A rank that cuts texts off, and one that does not.
    @Test(arguments: [2, 80])
    func sumsReproduceWhatTheMomentsGive(rank: Int) throws {
        let vision = RandomVision.make(seed: 9)
        let images = RandomVision.images(Self.imageCount, seed: 61)
        let paths = ValueOutputPaths(vision)
        let workspace = DirectEffectsWorkspace(vision, paths: paths, capacity: Self.capacity)
        var moments = HeadMoments(paths)
        forEachBatch(workspace, images) { moments.add($0) }
        var random = SplitMix64(seed: 5)
        let pool = Tensor(shape: [20, Self.d], elements: (0..<20 * Self.d).map { _ in Float(random.uniform() - 0.5) })
            .rowsNormalised()
        let spans = TextSpans(
            heads: try (0..<moments.headCount).map { k in
                try TextSpans.Head(
                    covariance: moments.covariance(of: k, paths), texts: pool, random: [k, 9, 19], count: Self.texts,
                    rank: rank)
            })
        let projections = HeadProjections(
            means: moments.means(paths), directions: spans.directions, capacity: Self.capacity)
        var terms = HeadVarianceTerms(heads: moments.headCount, texts: Self.texts)
        forEachBatch(workspace, images) { effects in
            projections.update(effects)
            terms.append(projections, batch: effects.batch)
        }
        #expect(terms.images == Self.imageCount)

        for (k, head) in spans.heads.enumerated() {
            #expect(head.texts.count == min(rank, Self.texts))
            let sums = terms.rows(ofHead: k).reduce([Double](repeating: 0, count: terms.numbers)) { zip($0, $1).map(+) }
            var errors = [sums[HeadVarianceTerms.whole] / Double(Self.imageCount) / head.variance - 1]
            let explained = head.texts.enumerated().map {
                (HeadVarianceTerms.along(texts: $0 + 1), Double($1.explainedVariance))
            }
            for (column, share) in explained + [
                (terms.alongRandomTexts, head.explainedByRandomTexts),
                (terms.alongPrincipalDirections, head.explainedByPrincipalDirections),
            ] {
                errors.append(sums[column] / sums[HeadVarianceTerms.whole] - share)
            }
            #expect(errors.largestMagnitude() < 1e-4, "head \(k): \(errors)")
        }
    }

    /// Two images and one replicate's four outcomes: each share is one of the three that two images can give.
    @Test func intervalsAreOfRatiosOfSums() throws {
        // ‖e − ē‖², first text, both, random, principal; two heads.
        let values: [Float] = [1, 0, 1, 0.5, 1, /**/ 3, 3, 3, 3, 3, /**/ 3, 1.5, 2, 0, 3, /**/ 1, 1, 1, 1, 1]
        let terms = try HandMade.terms(values, heads: 2, texts: 2)
        let heads = HeadVarianceIntervals(terms, bootstrap: Bootstrap(seed: 1)).heads
        #expect(heads.count == 2)
        func bounds(_ interval: Metric.Interval?) -> [Double?] { [interval?.lower, interval?.upper] }
        // The first image twice, or the second one twice: each in a quarter of the replicates.
        #expect(bounds(heads[0].variance) == [1, 3])
        #expect(bounds(heads[0].share) == [0.25, 0.75])
        #expect(bounds(heads[1].share) == [0.25, 0.75])
        #expect(bounds(heads[0].texts[0]) == [0, 0.5])
        #expect(bounds(heads[0].texts[1]) == [2.0 / 3, 1])
        #expect(bounds(heads[0].randomTexts) == [0, 0.5])
        #expect(bounds(heads[0].principalDirections) == [1, 1])
        #expect(heads[0].texts.count == 2)
    }

    @Test func aHeadThatWritesNothingHasNoIntervals() throws {
        let values: [Float] = [0, 0, 0, 0, /**/ 1, 0.5, 0, 1, /**/ 0, 0, 0, 0, /**/ 2, 0.5, 0, 1]
        let terms = try HandMade.terms(values, heads: 2, texts: 1)
        let heads = HeadVarianceIntervals(terms, bootstrap: Bootstrap(seed: 1)).heads
        #expect(heads[0].texts == [nil] && heads[0].randomTexts == nil && heads[0].principalDirections == nil)
        #expect(heads[0].share?.upper == 0 && heads[1].share?.lower == 1)
        #expect(heads[1].texts[0] != nil)
    }
}
