import Safetensors
import TestSupport
import Testing

@testable import Attribution

@Suite struct HeatMapTests {
    @Test(arguments: [(4, 16), (7, 56), (5, 13), (13, 5), (1, 6), (6, 1), (8, 8), (56, 16)])
    func resizingMatchesPyTorch(source: Int, target: Int) throws {
        let file = try SafetensorsFile(fixture: "resizing")
        let map = HeatMap(side: source, values: try file.floats("\(source).\(target).source"))
        let resized = map.resized(to: target)
        #expect(resized.side == target)
        let error = largestError(resized.values, try file.floats("\(source).\(target).target"))
        #expect(error < 1e-5, "\(source) to \(target) off by \(error)")
    }

    @Test func normalisingSpansZeroToOne() {
        let map = HeatMap(side: 2, values: [-1, 3, 1, 0]).normalised()
        #expect(map == HeatMap(side: 2, values: [0, 1, 0.5, 0.25]))
    }

    @Test(arguments: [Float(0), -2.5]) func aMapWithoutDifferencesBecomesZeros(value: Float) {
        let map = HeatMap(side: 3, values: [Float](repeating: value, count: 9)).normalised()
        #expect(map.values == [Float](repeating: 0, count: 9))
    }
}
