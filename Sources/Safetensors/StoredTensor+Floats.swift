import Foundation

extension StoredTensor {
    /// The elements of an F32, F16 or BF16 tensor; each value is exact.
    /// - Throws: `SafetensorsError.notConvertible`.
    public func floats() throws -> [Float] {
        try checkFloats()
        let count = shape.reduce(1, *)
        return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            try copyFloats(to: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    /// Writes the elements of an F32, F16 or BF16 tensor where they are wanted, without a copy between;
    /// each value is exact.
    /// - Precondition: `target` has as many elements as the tensor.
    /// - Throws: `SafetensorsError.notConvertible`.
    public func copyFloats(to target: UnsafeMutableBufferPointer<Float>) throws {
        try checkFloats()
        precondition(target.count == shape.reduce(1, *), "room for \(target.count) elements, not for shape \(shape)")
        data.withUnsafeBytes { source in
            switch type {
            case .float16: for i in target.indices { target[i] = Self.widened(Self.half(source, i)) }
            case .bfloat16:
                for i in target.indices { target[i] = Float(bitPattern: UInt32(Self.half(source, i)) << 16) }
            default: UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
            }
        }
    }

    private func checkFloats() throws {
        guard [.float32, .float16, .bfloat16].contains(type) else { throw notConvertible(to: "Float") }
    }

    /// The bytes of a file need not be aligned.
    private static func half(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt16 {
        bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
    }

    /// The value of a half-precision number.
    ///
    /// Widening by arithmetic becomes vector code, whereas the conversion of the standard library is a
    /// call for each number on processors that are not known to have an instruction for it.
    static func widened(_ half: UInt16) -> Float {
        let magnitude = UInt32(half & 0x7FFF) << 13
        // The exponents differ in their bias by 112; infinities and NaNs keep the largest exponent.
        let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
        let bits = magnitude >= 0x0F80_0000 ? magnitude | 0x7F80_0000 : scaled
        return Float(bitPattern: bits | UInt32(half & 0x8000) << 16)
    }
}
