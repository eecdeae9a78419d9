import Dispatch
import Foundations
import Synchronization

/// What the machine can do with some threads at once, measured in about a second: the bound that kernels are held to.
public struct MachinePeak: Sendable {
    /// Operations a second of large products with packed weights, or of SGEMM where there is no such library.
    public let operations: Double
    /// Operations a second of large products in bf16; those of SGEMM where no library has packed weights.
    public let roundedOperations: Double
    /// Bytes a second that are copied between buffers larger than the caches, read and written.
    public let bytes: Double

    public static func measure(threads: Int) -> MachinePeak {
        let rates = Mutex(SIMD3<Double>.zero)
        DispatchQueue.concurrentPerform(iterations: max(1, threads)) { _ in
            let own = SIMD3(products(.fp32), products(.bf16), copies(threads: threads))
            rates.withLock { $0 += own }
        }
        let sums = rates.withLock { $0 }
        return MachinePeak(operations: sums[0], roundedOperations: sums[1], bytes: sums[2])
    }

    private static func products(_ precision: Precision) -> Double {
        let (rows, inputs, outputs) = (768, 1024, 4096)
        let (x, y) = (FloatBuffer(rows * inputs), FloatBuffer(rows * outputs))
        let weight = Tensor(shape: [outputs, inputs], elements: [Float](repeating: 0.01, count: outputs * inputs))
        let packed =
            LinearLibrary.current == .openBLAS
            ? nil : PackedLinear(weight: weight, bias: [Float](repeating: 0, count: outputs), precision: precision)
        return best(2 * Double(rows * inputs * outputs)) {
            if packed?.multiply(x.base, rows: rows, addsBias: false, into: y.base) == true { return }
            BLAS.multiply(
                rows, outputs, inputs, x.base, stride: inputs, weight.elements, stride: inputs, otherTransposed: true,
                into: y.base,
                stride: outputs)
        }
    }

    private static func copies(threads: Int) -> Double {
        // Half a gigabyte together.
        let count = (64 << 20) / max(1, threads)
        let (from, to) = (FloatBuffer(count), FloatBuffer(count))
        return best(8 * Double(count)) { to.base.update(from: from.base, count: count) }
    }

    /// The largest rate of a few tries, of which the first pays for touching the memory and making kernels.
    private static func best(_ amount: Double, _ body: () -> Void) -> Double {
        (0..<6).reduce(0) { best, _ in
            let start = ContinuousClock.now
            body()
            return max(best, amount / start.duration(to: .now).seconds)
        }
    }
}
