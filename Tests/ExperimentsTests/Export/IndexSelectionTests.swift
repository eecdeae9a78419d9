import Testing

@testable import Experiments

@Suite struct IndexSelectionTests {
    @Test(arguments: [
        ("0..<4", [0, 1, 2, 3]), ("0...3", [0, 1, 2, 3]), ("3,5,9", [3, 5, 9]), ("7", [7]),
        ("9,0..<2,4...5", [9, 0, 1, 4, 5]),
        ("0...0", [0]), ("000000007", [7]),
    ])
    func whatPeopleWrite(text: String, indices: [Int]) throws {
        let selection = try #require(IndexSelection(text))
        #expect(selection.indices() == indices)
        #expect(selection.largest == indices.max())
        #expect(selection.text == text)
    }

    @Test(arguments: [
        "", ",", "1,", ",1", "0..", "0..<", "..<3", "0..<0", "3..<1", "5...4", "-1", "1.5", "a", "0..<4..<6", "0....3",
        " 1", "1 ",
        "1000000000", "99999999999999999999", "０", "1\u{301}",
    ])
    func whatIsNoSelection(text: String) { #expect(IndexSelection(text) == nil) }

    @Test func anIndexStandsOnce() {
        #expect(IndexSelection("3,3")?.indices() == nil)
        #expect(IndexSelection("0..<4,3")?.indices() == nil)
    }

    /// Ranges are not spelled out before they have been checked.
    @Test func aRangeOfABillionTakesNoMemory() {
        #expect(IndexSelection("0...999999999")?.largest == 999_999_999)
    }
}
