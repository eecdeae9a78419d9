import Testing

@testable import Safetensors

@Suite struct HalfPrecisionTests {
    /// All 65536 numbers, subnormal ones, infinities and NaNs among them.
    @Test func everyHalfHasItsValue() {
        for pattern in UInt16.min...UInt16.max {
            let (found, expected) = (StoredTensor.widened(pattern), Float(Float16(bitPattern: pattern)))
            if expected.isNaN {
                #expect(found.isNaN && found.sign == expected.sign, "\(pattern)")
            } else if found.bitPattern != expected.bitPattern {
                Issue.record("\(pattern): \(found) instead of \(expected)")
            }
        }
    }
}
