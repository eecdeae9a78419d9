import DenseMath
import Testing

/// Counting of kernels. Other tests run beside, so that counts are bounds.
@Suite struct KernelProfileTests {
    @Test func aProductIsCountedWithItsOperationsAndBytes() {
        KernelProfile.begin()
        let product = KernelProfile.Kernel.product.rawValue
        let before = KernelProfile.read()
        let (a, b) = (Tensor(zeros: [20, 30]), Tensor(zeros: [30, 40]))
        _ = a.times(b)
        let after = KernelProfile.read()
        let counted = after[product] - before[product]
        #expect(counted.calls >= 1 && counted.seconds > 0)
        // Multiplications and additions; three matrices of four bytes a number.
        #expect(counted.operations >= 48_000 && counted.bytes >= 10_400)
    }

    @Test func theMachineIsFasterThanNothing() {
        let peak = MachinePeak.measure(threads: 1)
        // A thousandth of what any machine of today does.
        #expect(peak.operations > 1e7 && peak.bytes > 1e6 && peak.operations.isFinite && peak.bytes.isFinite)
    }
}
