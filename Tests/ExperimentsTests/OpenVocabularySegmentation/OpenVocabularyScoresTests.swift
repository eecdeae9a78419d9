import Pipeline
import Testing

@testable import Experiments

/// Pixels by label, of confusions that one can count.
@Suite struct OpenVocabularyScoresTests {
    /// Six pixels, the fourth of which does not count.
    static let shown: [Int32] = [0, 0, 1, -1, 2, 2]
    static let found: [Int32] = [0, 1, 1, 0, 0, 2]

    /// Two cases of three images: the first image has both, the second the first case only, the third none.
    static func scores() -> OpenVocabularyScores {
        var scores = OpenVocabularyScores(cases: 2)
        scores.appendImage(predicted: 1, margin: 0.5)
        scores.append(found: found, shown: shown)
        scores.append(found: shown.map { max($0, 0) }, shown: shown)
        scores.appendImage(predicted: 2, margin: 0.25)
        scores.append(found: [3, 2, 2], shown: [2, 2, -1])
        scores.appendNothing()
        scores.appendImage(predicted: 0, margin: 0)
        scores.appendNothing()
        scores.appendNothing()
        return scores
    }

    @Test func pixelsAreCountedByLabel() {
        let scores = Self.scores()
        #expect(scores.images == 3 && scores.predicted == [1, 2, 0] && scores.margins == [0.5, 0.25, 0])
        let slices = scores.entriesOrNothing(of: 0).map(Array.init)
        #expect(
            slices[0] == [
                .init(label: 0, hit: 1, found: 2, shown: 2), .init(label: 1, hit: 1, found: 2, shown: 1),
                .init(label: 2, hit: 1, found: 1, shown: 2),
            ])
        #expect(
            slices[1] == [.init(label: 2, hit: 1, found: 1, shown: 2), .init(label: 3, hit: 0, found: 1, shown: 0)])
        #expect(slices[2] == [])
        // Images that a case leaves out are no images of that case.
        #expect(scores.entries(of: 0).count == 2 && scores.entries(of: 1).count == 1)
        #expect(scores.entriesOrNothing(of: 1).map(\.count) == [3, 0, 0])
        #expect(scores.entries(of: 1)[0].allSatisfy { $0.hit == $0.shown && $0.found == $0.shown })
    }

    @Test func pixelsThatShowNoLabelDoNotCount() {
        var (scores, without) = (OpenVocabularyScores(cases: 1), OpenVocabularyScores(cases: 1))
        scores.append(found: [0, 1, 2, 3], shown: [-1, 1, -1, 1])
        without.append(found: [1, 3], shown: [1, 1])
        #expect(scores.entries == without.entries && scores.entries.map(\.label) == [1, 3])
    }

    @Test func ratiosAreThoseOfAllImagesTogether() {
        let one = LabelOverlap([Self.scores().entries(of: 0)[0]], vocabulary: 4)
        // 1/3, 1/2 and 1/2; three of five pixels.
        #expect(abs(one.meanIntersectionOverUnion - 4.0 / 9) < 1e-12 && one.pixelAccuracy == 0.6 && one.labels == 3)
        // The third label has 2 of 4 pixels, and no others; the fourth label is shown nowhere.
        let both = LabelOverlap(Self.scores().entries(of: 0), vocabulary: 4)
        #expect(abs(both.meanIntersectionOverUnion - (1.0 / 3 + 1.0 / 2 + 2.0 / 4) / 3) < 1e-12, "\(both)")
        #expect(abs(both.pixelAccuracy - 4.0 / 7) < 1e-12 && both.labels == 3)
        let perfect = LabelOverlap(Self.scores().entries(of: 1), vocabulary: 4)
        #expect(perfect.meanIntersectionOverUnion == 1 && perfect.pixelAccuracy == 1)
        let nothing = LabelOverlap([], vocabulary: 4)
        #expect(nothing.meanIntersectionOverUnion.isNaN && nothing.pixelAccuracy.isNaN && nothing.labels == 0)
    }

    @Test func shardsFollowEachOther() throws {
        var all = OpenVocabularyScores(cases: 2)
        try all.append(Self.scores())
        try all.append(Self.scores())
        #expect(all.images == 6 && all.counts == Self.scores().counts + Self.scores().counts)
        #expect(
            all.entriesOrNothing(of: 0).map(Array.init) == Self.scores().entriesOrNothing(of: 0).map(Array.init)
                + Self.scores().entriesOrNothing(of: 0).map(Array.init))
    }

    @Test func scoresComeBack() throws {
        let value = Self.scores()
        let back = try OpenVocabularyScores(value.stored())
        #expect(back.cases == 2 && back.predicted == value.predicted && back.margins == value.margins)
        #expect(back.counts == [3, 3, 2, 0, 0, 0] && back.entries == value.entries && back.entries.count == 8)
        try expectRefusal(value, "counts", [6], integers: true)
        try expectRefusal(value, "counts", [3, 2], integers: true)
        try expectRefusal(value, "counts", [2, 3], integers: true)
        try expectRefusal(value, "entries", [7, 4], integers: true)
        try expectRefusal(value, "entries", [8, 3], integers: true)
        try expectRefusal(value, "entries", [16, 2], integers: true)
        try expectRefusal(value, "predicted", [2], integers: true)
        try expectRefusal(value, "margins", [4])
        try expectRefusal(value, "counts", numbers: [4, 3, 2, -1, 0, 0])
        try expectRefusal(value, "counts", numbers: [3, 3, 2, 0, 0, 1])
        try expectNoPartCanBeMissing(value)
        let none = try OpenVocabularyScores(OpenVocabularyScores(cases: 2).stored())
        #expect(none.images == 0 && none.entries(of: 1).isEmpty)
    }
}
