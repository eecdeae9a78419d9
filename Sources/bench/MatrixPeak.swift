import DenseMath

/// Large matrices, whose product runs as fast as SGEMM can on this machine. Belongs to one worker.
final class MatrixPeak {
    /// m, n, k: square, tall, and the MLP of the two towers with large batches.
    static let shapes = [(1024, 1024, 1024), (2048, 2048, 2048), (1600, 3072, 768), (2056, 4096, 1024), (4096, 1024, 1024)]
    private let a, b, c: FloatBuffer

    init() {
        func largest(_ size: ((Int, Int, Int)) -> Int) -> Int { Self.shapes.map(size).max() ?? 0 }
        a = FloatBuffer(largest { $0.0 * $0.2 })
        b = FloatBuffer(largest { $0.1 * $0.2 })
        c = FloatBuffer(largest { $0.0 * $0.1 })
        var random = SplitMix64(seed: 3)
        for buffer in [a, b] {
            for i in 0..<buffer.count { buffer.base[i] = Float(random.uniform(-1...1)) }
        }
    }

    func multiply(_ shape: (m: Int, n: Int, k: Int)) {
        BLAS.multiply(
            shape.m, shape.n, shape.k, a.base, stride: shape.k, b.base, stride: shape.k, otherTransposed: true,
            into: c.base, stride: shape.n)
    }

    /// Operations a second of the best shape, all workers together.
    static func measure(_ workers: Workers<MatrixPeak>) -> Double {
        shapes.reduce(0) { best, shape in
            let seconds = workers.time { $0.multiply(shape) }
            return max(best, 2 * Double(workers.count * shape.0 * shape.1 * shape.2) / seconds)
        }
    }
}
