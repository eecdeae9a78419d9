import DenseMath
import Foundations

/// Large matrices, whose products run as fast as the library of linear layers can on this machine. Belongs to one worker.
final class MatrixPeak {
    /// m, n, k: square, tall, and the MLP of the two towers with large batches.
    static let shapes = [(1024, 1024, 1024), (1600, 3072, 768), (1600, 768, 3072), (1028, 4096, 1024)]
    private let a, b, c: FloatBuffer
    private let packed: [PackedLinear?]

    init(_ precision: Precision = .fp32) {
        func largest(_ size: ((Int, Int, Int)) -> Int) -> Int { Self.shapes.map(size).max() ?? 0 }
        a = FloatBuffer(largest { $0.0 * $0.2 })
        b = FloatBuffer(largest { $0.1 * $0.2 })
        c = FloatBuffer(largest { $0.0 * $0.1 })
        var random = SplitMix64(seed: 3)
        for buffer in [a, b] {
            for i in 0..<buffer.count { buffer.base[i] = Float(random.uniform(-1...1)) }
        }
        let weights = b.elements
        packed = Self.shapes.map { shape in
            guard LinearLibrary.current != .openBLAS else { return nil }
            let weight = Tensor(shape: [shape.1, shape.2], elements: Array(weights.prefix(shape.1 * shape.2)))
            return PackedLinear(weight: weight, bias: [Float](repeating: 0, count: shape.1), precision: precision)
        }
        // In bf16 the inputs stay what they are: rounding them is the caller's work, not the product's.
        inputPrecision = precision
    }

    private let inputPrecision: Precision

    func multiply(_ index: Int) {
        let shape = Self.shapes[index]
        if let packed = packed[index],
            packed.multiply(a.base, inputPrecision, rows: shape.0, addsBias: false, into: c.base)
        {
            return
        }
        BLAS.multiply(
            shape.0, shape.1, shape.2, a.base, stride: shape.2, b.base, stride: shape.2, otherTransposed: true,
            into: c.base,
            stride: shape.1)
    }

    /// Operations a second of the best shape, all workers together.
    static func measure(_ workers: Workers<MatrixPeak>) -> Double {
        shapes.indices.reduce(0) { best, index in
            let shape = shapes[index]
            let seconds = workers.time { $0.multiply(index) }
            return max(best, 2 * Double(workers.count * shape.0 * shape.1 * shape.2) / seconds)
        }
    }
}
