import CLIPModel
import DenseMath
import Foundations
import TestSupport
import Testing

@testable import Lens

/// Squared lengths image by image against the moments, which are tested against a literal pass.
@Suite struct HeadProjectionsTests {
    static let (d, heads) = (10, 8)
    static let imageCount = 11
    static let capacity = 4  // does not divide the number of images

    let vision = RandomVision.make(seed: 9)
    let images = RandomVision.images(imageCount, seed: 61)

    func forEachBatch(_ workspace: DirectEffectsWorkspace, _ body: (DirectEffects) -> Void) {
        let size = images.count / Self.imageCount
        images.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            for start in stride(from: 0, to: Self.imageCount, by: Self.capacity) {
                body(workspace.run(base + start * size, batch: min(Self.capacity, Self.imageCount - start)))
            }
        }
    }

    /// Any unit vectors, not orthogonal to each other; the last one is missing. // [heads, 3, d]
    var directions: Tensor {
        var random = SplitMix64(seed: 3)
        let rows = Tensor(
            shape: [Self.heads * 3, Self.d],
            elements: (0..<Self.heads * 3 * Self.d).map { _ in Float(random.uniform() - 0.5) })
        var directions = rows.rowsNormalised()
        for i in directions.elements.count - Self.d..<directions.elements.count { directions.elements[i] = 0 }
        return Tensor(shape: [Self.heads, 3, Self.d], elements: directions.elements)
    }

    @Test func meansAreThoseOfTheMoments() {
        let paths = ValueOutputPaths(vision)
        let workspace = DirectEffectsWorkspace(vision, paths: paths, capacity: Self.capacity)
        var moments = HeadMoments(paths)
        forEachBatch(workspace) { moments.add($0) }
        let means = (0..<Self.heads).flatMap { moments.mean(of: $0, paths).map(Float.init) }
        let directions = directions
        let projections = HeadProjections(
            means: Tensor(shape: [Self.heads, Self.d], elements: means), directions: directions, capacity: Self.capacity
        )
        var lengths = [Double](repeating: 0, count: Self.heads)
        var squares = [Double](repeating: 0, count: Self.heads * 3)
        forEachBatch(workspace) { effects in
            projections.update(effects)
            for image in 0..<effects.batch {
                for k in lengths.indices { lengths[k] += Double(projections.lengths.base[image * lengths.count + k]) }
                for i in squares.indices { squares[i] += Double(projections.squares.base[image * squares.count + i]) }
            }
        }
        for k in 0..<Self.heads {
            let covariance = moments.covariance(of: k, paths)
            let trace = (0..<Self.d).reduce(0) { $0 + covariance[$1 * Self.d + $1] }
            let error = lengths[k] / Double(Self.imageCount) / trace - 1
            #expect(abs(error) < 1e-4, "head \(k): \(error)")
            for row in 0..<3 {
                let u = directions.elements[(k * 3 + row) * Self.d..<(k * 3 + row + 1) * Self.d].map(Double.init)
                let expected = (0..<Self.d * Self.d).reduce(0) { $0 + u[$1 / Self.d] * covariance[$1] * u[$1 % Self.d] }
                let error = (squares[k * 3 + row] / Double(Self.imageCount) - expected) / trace
                #expect(abs(error) < 1e-4, "head \(k), direction \(row): \(error)")
            }
        }
        #expect(squares.last == 0)
    }
}
