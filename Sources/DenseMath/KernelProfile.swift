import Foundations
import Synchronization

/// Where the time of a process goes: calls, time, operations and memory traffic of its kernels, counted while it is on.
public enum KernelProfile {
    public enum Kernel: Int, CaseIterable, Sendable {
        /// Products with weights, bias and activation where they are fused.
        case linear
        /// Products with weights in bf16, bias and activation where they are fused.
        case roundedLinear
        /// Other products in single and in double precision.
        case product, doubleProduct
        case layerNorm, softmax, activation
        /// Additions and squares of rows.
        case rows
        /// Norms through packed triangles.
        case triangle
        /// Inner products and orthogonalisation of matching pursuit.
        case pursuit
    }

    /// What one kernel did, over all threads.
    public struct Totals: Sendable, Equatable {
        public var calls = 0
        public var seconds = 0.0
        public var operations = 0.0
        /// Operands and results, each counted once: what has to be moved at least.
        public var bytes = 0.0

        public static func - (a: Totals, b: Totals) -> Totals {
            Totals(
                calls: a.calls - b.calls, seconds: a.seconds - b.seconds, operations: a.operations - b.operations,
                bytes: a.bytes - b.bytes)
        }
    }

    private static let isOn = Atomic(false)
    private static let totals = Mutex([Totals](repeating: Totals(), count: Kernel.allCases.count))

    /// Counts from now on.
    public static func begin() { isOn.store(true, ordering: .relaxed) }

    /// Counts no more.
    public static func end() { isOn.store(false, ordering: .relaxed) }

    /// What was counted so far, by kernel.
    public static func read() -> [Totals] { totals.withLock { $0 } }

    /// - Parameters:
    ///   - operations: additions and multiplications.
    ///   - values: numbers read and written.
    @inline(__always)
    static func measure<Value>(
        _ kernel: Kernel, operations: @autoclosure () -> Int, values: @autoclosure () -> Int, width: Int = 4,
        _ body: () -> Value
    ) -> Value {
        guard isOn.load(ordering: .relaxed) else { return body() }
        let start = ContinuousClock.now
        let value = body()
        add(kernel, start.duration(to: .now), operations: operations(), bytes: width * values())
        return value
    }

    private static func add(_ kernel: Kernel, _ time: Duration, operations: Int, bytes: Int) {
        totals.withLock { totals in
            totals[kernel.rawValue].calls += 1
            totals[kernel.rawValue].seconds += time.seconds
            totals[kernel.rawValue].operations += Double(operations)
            totals[kernel.rawValue].bytes += Double(bytes)
        }
    }
}
