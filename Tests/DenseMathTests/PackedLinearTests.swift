import DenseMath
import Foundation
import Foundations
import Testing

/// Products with packed weights against the literal sums.
@Suite(.enabled(if: LinearLibrary.oneDNN != nil, "oneDNN is not installed, or this CPU has no 512-bit registers"))
struct PackedLinearTests {
    struct Layer {
        let rows, inputs, outputs: Int
        let x, y: [Float]
        let weight: Tensor
        let bias: [Float]

        init(rows: Int, inputs: Int, outputs: Int) {
            (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
            var generator = SplitMix64(seed: UInt64(rows * 31 + inputs))
            func values(_ count: Int, _ scale: Float = 1) -> [Float] {
                (0..<count).map { _ in scale * (Float(generator.next() >> 40) / Float(1 << 23) - 1) }
            }
            x = values(rows * inputs)
            y = values(rows * outputs)
            weight = Tensor(
                shape: [outputs, inputs], elements: values(outputs * inputs, 1 / Float(inputs).squareRoot()))
            bias = values(outputs)
        }

        /// Sums in double precision, of numbers rounded as they are multiplied.
        func literal(_ precision: Precision, bias addsBias: Bool, _ activation: Activation?, accumulating: Bool)
            -> [Double]
        {
            func rounded(_ values: [Float]) -> [Float] {
                var result = values
                precision.rounded(values, count: values.count, into: &result)
                return result
            }
            let (x, weight) = (rounded(x), rounded(weight.elements))
            return (0..<rows * outputs).map { index in
                let (row, column) = (index / outputs, index % outputs)
                var sum = addsBias ? Double(bias[column]) : 0
                for k in 0..<inputs { sum += Double(x[row * inputs + k]) * Double(weight[column * inputs + k]) }
                switch activation {
                case .quickGELU: sum = sum / (1 + exp(-1.702 * sum))
                case .gelu: sum = sum * (1 + erf(sum / 2.0.squareRoot())) / 2
                case nil: break
                }
                return sum + (accumulating ? Double(y[index]) : 0)
            }
        }

        func packed(_ precision: Precision) throws -> PackedLinear {
            try #require(PackedLinear(weight: weight, bias: bias, precision: precision))
        }
    }

    private static func largestError(_ found: [Float], _ expected: [Double]) -> Double {
        zip(found, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
    }

    @Test(arguments: Precision.allCases, [nil, Activation.quickGELU, .gelu])
    func productsAreThoseOfTheLiteralSums(precision: Precision, activation: Activation?) throws {
        // Odd sizes, and those of a small model; one row as for a class token.
        for (rows, inputs, outputs) in [(1, 64, 32), (37, 100, 75), (68, 192, 768), (50, 768, 192)] {
            let layer = Layer(rows: rows, inputs: inputs, outputs: outputs)
            let packed = try layer.packed(precision)
            for (addsBias, accumulating) in [(true, false), (false, false), (true, true)]
            where activation == nil || !accumulating {
                var y = layer.y
                let isDone = layer.x.withUnsafeBytes { x in
                    y.withUnsafeMutableBytes { y in
                        guard let x = x.baseAddress, let y = y.baseAddress else { return false }
                        return packed.multiply(
                            x, rows: rows, addsBias: addsBias, activation: activation, accumulating: accumulating,
                            into: y)
                    }
                }
                #expect(isDone)
                let error = Self.largestError(
                    y, layer.literal(precision, bias: addsBias, activation, accumulating: accumulating))
                // Sums of hundreds of numbers of size 1/√k in single precision.
                #expect(
                    error < 5e-6,
                    "\(rows)×\(inputs)×\(outputs) \(precision) bias \(addsBias) added \(accumulating): \(error)")
            }
        }
    }

    @Test func roundedActivationsFeedTheNextLayer() throws {
        let layer = Layer(rows: 40, inputs: 64, outputs: 96)
        let second = Layer(rows: 40, inputs: 96, outputs: 48)
        var hidden = [UInt16](repeating: 0, count: 40 * 96)
        let isFirstDone = try layer.packed(.bf16).multiply(
            layer.x, rows: 40, addsBias: true, activation: .quickGELU, into: &hidden, .bf16)
        var y = second.y
        let isSecondDone = try second.packed(.bf16).multiply(
            hidden, .bf16, rows: 40, addsBias: true, accumulating: true, into: &y)
        #expect(isFirstDone && isSecondDone)
        let values = layer.literal(.bf16, bias: true, .quickGELU, accumulating: false).map(Float.init)
        // The rounding of a hidden value may fall to the other side where sums differ in their last digit.
        let worst =
            zip(hidden, values).map { abs(Float(bitPattern: UInt32($0) << 16) - $1) / max(abs($1), 1e-3) }.max() ?? 1
        #expect(worst < 1.0 / 128, "\(worst)")
        let expected = Layer(copying: second, x: hidden.map { Float(bitPattern: UInt32($0) << 16) })
            .literal(.bf16, bias: true, nil, accumulating: true)
        #expect(Self.largestError(y, expected) < 5e-6)
    }

    @Test func manyThreadsGiveTheBytesOfOne() throws {
        let layer = Layer(rows: 64, inputs: 192, outputs: 256)
        let packed = try layer.packed(.fp32)
        @Sendable func product(rows: Int) -> [Float] {
            var y = [Float](repeating: 0, count: rows * layer.outputs)
            return packed.multiply(layer.x, rows: rows, addsBias: true, activation: .gelu, into: &y) ? y : []
        }
        let alone = product(rows: 64)
        let results = Results(count: 64)
        DispatchQueue.concurrentPerform(iterations: 64) { index in
            // Other numbers of rows meanwhile: kernels are made while others run.
            _ = product(rows: 1 + index % 7)
            results[index] = product(rows: 64)
        }
        #expect(!alone.isEmpty && results.all.allSatisfy { $0 == alone })
    }

    @Test func roundingIsToTheNearestEven() {
        let values: [Float] = [
            1, 1 + 1 / 256, 1 + 3 / 256, -1 - 1 / 256, .greatestFiniteMagnitude, .infinity, .nan, 0, -0.0,
        ]
        var rounded = values
        Precision.bf16.rounded(values, count: values.count, into: &rounded)
        #expect(rounded[0] == 1 && rounded[1] == 1 && rounded[2] == 1 + 4 / 256 && rounded[3] == -1)
        #expect(rounded[4] == .infinity && rounded[5] == .infinity && rounded[6].isNaN)
        #expect(rounded[7] == 0 && rounded[8] == 0 && rounded[8].sign == .minus)
    }

    /// Written by many threads, each its own place.
    private final class Results: @unchecked Sendable {
        private var values: [[Float]]
        private let lock = NSLock()

        init(count: Int) { values = [[Float]](repeating: [], count: count) }

        var all: [[Float]] { lock.withLock { values } }

        subscript(index: Int) -> [Float] {
            get { lock.withLock { values[index] } }
            set { lock.withLock { values[index] = newValue } }
        }
    }
}

extension PackedLinearTests.Layer {
    fileprivate init(copying other: PackedLinearTests.Layer, x: [Float]) {
        (rows, inputs, outputs, weight, bias, y) = (
            other.rows, other.inputs, other.outputs, other.weight, other.bias, other.y
        )
        self.x = x
    }
}
