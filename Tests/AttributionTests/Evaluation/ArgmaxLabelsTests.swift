import CLIPModel
import DenseMath
import Foundations
import Testing

@testable import Attribution

/// Labels of pixels against maps that are resized one by one.
@Suite struct ArgmaxLabelsTests {
    /// Every label's map with ``HeatMap/resized(to:)``, then the first of the largest values of each pixel; and by how
    /// much it leads the runner-up.
    private func literal(_ similarities: Tensor, among labels: [Int], size: Int) -> [(label: Int32, lead: Float)] {
        let (patches, all) = (similarities.shape[0] - 1, similarities.shape[1])
        let side = Int(Double(patches).squareRoot())
        let maps = labels.map { label in
            HeatMap(side: side, values: (0..<patches).map { similarities.elements[(1 + $0) * all + label] }).resized(
                to: size
            ).values
        }
        return (0..<size * size).map { pixel in
            let values = maps.map { $0[pixel] }
            let largest = values.max() ?? .nan
            let best = values.firstIndex(of: largest) ?? -1
            let second = values.enumerated().filter { $0.offset != best }.map(\.element).max() ?? -.infinity
            return (Int32(labels[best]), largest - second)
        }
    }

    private func random(side: Int, labels: Int, seed: UInt64) -> Tensor {
        var random = SplitMix64(seed: seed)
        let count = (1 + side * side) * labels
        return Tensor(
            shape: [1 + side * side, labels], elements: (0..<count).map { _ in Float(random.uniform(-1...1)) })
    }

    @Test(arguments: [(1, 4), (2, 7), (4, 32), (7, 5), (8, 8), (5, 64)]) func resizedMapsGiveTheSameLabels(
        side: Int, size: Int
    ) {
        let similarities = random(side: side, labels: 9, seed: UInt64(side))
        for labels in [Array(0..<9), [4], [8, 2], [7, 0, 3, 5]] {
            let found = ArgmaxLabels.of(similarities, TokenLayout(side: side), among: labels, size: size)
            let expected = literal(similarities, among: labels, size: size)
            #expect(found.count == size * size)
            // Rows and columns may be mixed in either order, which turns what is as good as equal.
            let wrong = zip(found, expected).filter { $0 != $1.label && $1.lead > 1e-6 }
            #expect(wrong.isEmpty, "\(labels): \(wrong.count) of \(found.count) pixels")
            #expect(Set(found.map(Int.init)).isSubset(of: labels))
        }
    }

    @Test func theFirstOfEqualLabelsWins() {
        let same = Tensor(shape: [5, 3], elements: [9, 9, 9] + [Float](repeating: 0.25, count: 12))
        #expect(Set(ArgmaxLabels.of(same, TokenLayout(side: 2), among: [0, 1, 2], size: 3)) == [0])
        #expect(Set(ArgmaxLabels.of(same, TokenLayout(side: 2), among: [2, 1], size: 3)) == [2])
        // Negative similarities are as good as others.
        let below = Tensor(shape: [2, 3], elements: [0, 0, 0, -0.5, -0.25, -0.75])
        #expect(ArgmaxLabels.of(below, TokenLayout(side: 1), among: [0, 1, 2], size: 1) == [1])
        #expect(ArgmaxLabels.of(below, TokenLayout(side: 1), among: [0, 2], size: 2) == [0, 0, 0, 0])
    }

    @Test func theClassTokenHasNoSay() {
        var similarities = random(side: 3, labels: 4, seed: 1)
        let found = ArgmaxLabels.of(similarities, TokenLayout(side: 3), among: Array(0..<4), size: 6)
        for label in 0..<4 { similarities.elements[label] = label == 2 ? 100 : -100 }
        #expect(ArgmaxLabels.of(similarities, TokenLayout(side: 3), among: Array(0..<4), size: 6) == found)
        #expect(Set(found).count > 2)
    }

    @Test func patchesLieByRows() {
        // Label 1 in the upper right of four patches.
        let similarities = Tensor(shape: [5, 2], elements: [0, 0] + [1, 0, 0, 1, 1, 0, 1, 0])
        #expect(ArgmaxLabels.of(similarities, TokenLayout(side: 2), among: [0, 1], size: 2) == [0, 1, 0, 0])
        #expect(
            ArgmaxLabels.of(similarities, TokenLayout(side: 2), among: [0, 1], size: 4) == [
                0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0,
            ])
    }
}
