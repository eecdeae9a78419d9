import Testing

@testable import Experiments

@Suite struct ShownLabelsTests {
    /// Objects 1 and 4 are of class 4, object 2 of none, object 3 of class 7.
    private let facts = SurgerySample.facts(of: [[4, -1, 7, 4]])[0]

    @Test func labelsThatTheMaskShowsComeOnceInTheOrderOfObjects() {
        #expect(ShownLabels.of(facts, mask: [0, 1, 2, 3, 4, 255]) == [4, 7])
        #expect(ShownLabels.of(facts, mask: [3, 3, 4, 0]) == [7, 4])
        #expect(ShownLabels.of(facts, mask: [0, 3, 3, 0]) == [7])
        // Neither background nor what is no class nor what counts nowhere is a label.
        #expect(ShownLabels.of(facts, mask: [0, 2, 255, 0]) == [])
    }

    @Test func aLabelsMaskHasAllItsObjectsAndKeepsWhatDoesNotCount() {
        let mask: [UInt8] = [0, 1, 2, 3, 4, 255]
        #expect(ShownLabels.mask(of: 4, facts, mask: mask) == [0, 1, 0, 0, 1, 255])
        #expect(ShownLabels.mask(of: 7, facts, mask: mask) == [0, 0, 0, 1, 0, 255])
    }

    @Test func pixelsWithoutALabelHaveNone() {
        #expect(ShownLabels.labels(facts, mask: [0, 1, 2, 3, 4, 255]) == [-1, 4, -1, 7, 4, -1])
        #expect(ShownLabels.labels(SurgerySample.facts(of: [[]])[0], mask: [0, 255]) == [-1, -1])
    }

    /// The most objects that a mask of 8 bits can tell apart.
    @Test func theLastNumberOfAMaskIsAnObjectAndTheNextOneIsNot() {
        let facts = SurgerySample.facts(of: [(0..<254).map { Int32($0) }])[0]
        #expect(ShownLabels.labels(facts, mask: [254, 255, 0]) == [253, -1, -1])
        #expect(ShownLabels.of(facts, mask: [254, 255, 0]) == [253])
        #expect(ShownLabels.mask(of: 253, facts, mask: [254, 255, 0]) == [1, 255, 0])
    }
}
