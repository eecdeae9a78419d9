import DenseMath
import Foundation
import Foundations
import Testing

/// The C loops against the formulas in double precision. Odd widths leave remainders after the vectors.
@Suite struct RowKernelTests {
    static let widths = [1, 7, 15, 16, 17, 31, 50, 257]

    static func random(_ count: Int, scale: Double = 3, seed: UInt64 = 1) -> [Float] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in Float(random.uniform(-scale...scale)) }
    }

    static func expectClose(
        _ found: [Float], _ expected: [Double], relative: Double = 2e-6, absolute: Double = 1e-7,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (index, (a, b)) in zip(found, expected).enumerated() {
            #expect(
                abs(Double(a) - b) <= absolute + relative * abs(b), "at \(index): \(a), not \(b)",
                sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: widths) func layerNormMatchesItsFormula(width: Int) {
        let rows = 3
        for offset in [Float(0), 1000] {
            let x = Self.random(rows * width).map { $0 + offset }
            let (gamma, beta) = (Self.random(width, seed: 2), Self.random(width, seed: 3))
            var (out, mean, sigma) = (
                [Float](repeating: 0, count: x.count), [Float](repeating: 0, count: rows),
                [Float](repeating: 0, count: rows)
            )
            RowKernels.layerNorm(
                x, gamma: gamma, beta: beta, epsilon: 1e-5, rows: rows, columns: width, into: &out, mean: &mean,
                sigma: &sigma)
            for row in 0..<rows {
                let values = x[row * width..<(row + 1) * width].map(Double.init)
                let m = values.reduce(0, +) / Double(width)
                let s = (values.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(width) + 1e-5).squareRoot()
                // With numbers near 1000 the inputs themselves are known to 3e-5 only.
                let tolerance = offset == 0 ? 2e-6 : 3e-4
                Self.expectClose([mean[row]], [m], absolute: 1e-6)
                if width > 1 { Self.expectClose([sigma[row]], [s], relative: tolerance) }
                guard width > 1 else { continue }
                let expected = values.indices.map { Double(gamma[$0]) * (values[$0] - m) / s + Double(beta[$0]) }
                Self.expectClose(
                    Array(out[row * width..<(row + 1) * width]), expected, relative: tolerance, absolute: tolerance)
            }
        }
    }

    @Test(arguments: widths) func softmaxMatchesItsFormula(width: Int) {
        for scale in [Float(0.125), 1, 40] {
            let x = Self.random(2 * width)
            var found = x
            RowKernels.softmax(&found, rows: 2, columns: width, scale: scale, causal: false)
            for row in 0..<2 {
                let columns = row * width..<(row + 1) * width
                Self.expectClose(Array(found[columns]), Self.softmax(x[columns], scale: scale), relative: 3e-5)
            }
        }
    }

    static func softmax(_ x: ArraySlice<Float>, scale: Float) -> [Double] {
        let values = x.map { Double($0) * Double(scale) }
        let largest = values.max() ?? 0
        let exponentials = values.map { exp($0 - largest) }
        let sum = exponentials.reduce(0, +)
        return exponentials.map { $0 / sum }
    }

    @Test func causalSoftmaxSeesNothingLater() {
        let n = 35
        let x = Self.random(n * n)
        var found = x
        RowKernels.softmax(&found, rows: n, columns: n, scale: 0.5, causal: true)
        for row in 0..<n {
            let visible = row * n...row * n + row
            Self.expectClose(Array(found[visible]), Self.softmax(x[visible], scale: 0.5), relative: 3e-6)
            #expect(found[row * n + row + 1..<(row + 1) * n].allSatisfy { $0 == 0 })
        }
    }

    @Test func softmaxBearsLargeNumbers() {
        var x: [Float] = [1e30, 1e30, -1e30, 0]
        RowKernels.softmax(&x, rows: 1, columns: 4, scale: 1, causal: false)
        Self.expectClose(x, [0.5, 0.5, 0, 0])
    }

    static let points: [Float] = [
        0, -0.0, 1e-30, 1e-6, 0.1, -0.1, 1, -1, 5, -5, 20, -20, 60, -60, 1e4, -1e4, 1e30, -1e30,
    ]

    @Test func quickGELUMatchesItsFormula() {
        var found = Self.points
        let bias = [Float](repeating: 0, count: found.count)
        RowKernels.activate(.quickGELU, &found, bias: bias, rows: 1, columns: found.count)
        // exp is held within what a float's exponent can say, so far below zero the result is tiny and not quite zero.
        let expected = Self.points.map { Double($0) / (1 + exp(-1.702 * Double($0))) }
        Self.expectClose(Array(found.dropLast()), Array(expected.dropLast()), relative: 3e-6, absolute: 1e-6)
    }

    @Test func geluMatchesItsFormula() {
        var found = Self.points
        let bias = [Float](repeating: 0, count: found.count)
        RowKernels.activate(.gelu, &found, bias: bias, rows: 1, columns: found.count)
        let expected = Self.points.map { Double($0) * (1 + erf(Double($0) / 2.0.squareRoot())) / 2 }
        Self.expectClose(found, expected, relative: 1e-6, absolute: 1e-6)
    }

    @Test func geluIsCloseEverywhere() {
        let points = (-9000...9000).map { Float($0) / 1000 } + [-1e4, -20, 20, 1e4]
        var found = points
        RowKernels.activate(
            .gelu, &found, bias: [Float](repeating: 0, count: points.count), rows: 1, columns: points.count)
        let errors = zip(points.map(Double.init), found).map { point, found in
            let expected = point * (1 + erf(point / 2.0.squareRoot())) / 2
            return abs(expected - Double(found)) / max(1, abs(point))
        }
        let largest = errors.max() ?? 1
        #expect(largest < 2e-7, "\(largest)")
    }

    @Test(arguments: Activation.allCases) func activationsAddTheBiasOfTheirColumn(_ activation: Activation) {
        let (rows, columns) = (3, 21)
        let (x, bias) = (Self.random(rows * columns), Self.random(columns, seed: 4))
        var found = x
        RowKernels.activate(activation, &found, bias: bias, rows: rows, columns: columns)
        var expected = x.indices.map { x[$0] + bias[$0 % columns] }
        RowKernels.activate(
            activation, &expected, bias: [Float](repeating: 0, count: expected.count), rows: 1, columns: expected.count)
        #expect(found == expected)
    }

    /// A number that is none has to be seen at the end, not turned into a plausible one on the way.
    @Test func notANumberStaysNotANumber() {
        for activation in Activation.allCases {
            var x = [Float](repeating: 1, count: 20)
            x[17] = .nan
            RowKernels.activate(activation, &x, bias: [Float](repeating: 0, count: 20), rows: 1, columns: 20)
            #expect(x[17].isNaN && !x[16].isNaN, "\(activation)")
        }
        for position in [0, 17] {
            var x = [Float](repeating: 1, count: 40)
            x[position] = .nan
            let (gamma, beta) = ([Float](repeating: 1, count: 20), [Float](repeating: 0, count: 20))
            var (out, mean, sigma) = (
                [Float](repeating: 0, count: 40), [Float](repeating: 0, count: 2), [Float](repeating: 0, count: 2)
            )
            RowKernels.layerNorm(
                x, gamma: gamma, beta: beta, epsilon: 1e-5, rows: 2, columns: 20, into: &out, mean: &mean, sigma: &sigma
            )
            #expect(out[..<20].allSatisfy(\.isNaN) && out[20...].allSatisfy(\.isFinite))
        }
    }

    @Test(arguments: [1, 7, 16, 20, 40]) func softmaxOfWhatIsNotFinite(width: Int) {
        for position in 0..<width {
            for value in [Float.nan, .infinity] {
                var x = [Float](repeating: 1, count: 2 * width)
                x[position] = value
                RowKernels.softmax(&x, rows: 2, columns: width, scale: 1, causal: false)
                #expect(
                    x[..<width].allSatisfy(\.isNaN) && x[width...].allSatisfy(\.isFinite), "\(value) at \(position)")
            }
            guard width > 1 else { continue }
            var x = [Float](repeating: 1, count: width)
            x[position] = -.infinity
            RowKernels.softmax(&x, rows: 1, columns: width, scale: 1, causal: false)
            let rest = 1 / Double(width - 1)
            Self.expectClose(x, (0..<width).map { $0 == position ? 0 : rest })
        }
    }

    @Test(arguments: widths) func rowSumsMatch(width: Int) {
        let rows = 5
        let (x, y) = (Self.random(rows * width), Self.random(rows * width, seed: 5))
        var squares = [Float](repeating: 0, count: rows)
        RowKernels.rowSquares(x, rows: rows, columns: width, stride: width, into: &squares)
        Self.expectClose(
            squares,
            (0..<rows).map { row in x[row * width..<(row + 1) * width].reduce(0) { $0 + Double($1) * Double($1) } })

        var shifted = x
        RowKernels.subtract(row: Array(y[..<width]), from: &shifted, rows: rows, columns: width)
        #expect(shifted == x.indices.map { x[$0] - y[$0 % width] })
        RowKernels.add(bias: Array(y[..<width]), to: &shifted, rows: rows, columns: width)
        Self.expectClose(shifted, x.map(Double.init), absolute: 1e-6)
    }
}
