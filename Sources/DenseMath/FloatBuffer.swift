/// Scratch memory for the inner loops: owned, aligned for the widest vectors, never resized.
///
/// A buffer belongs to one worker; it is not `Sendable`, so the compiler keeps it there.
public final class FloatBuffer {
    public let base: UnsafeMutablePointer<Float>
    public let count: Int

    /// Zeros.
    public init(_ count: Int) {
        precondition(count >= 0)
        self.count = count
        base = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(count, 1))
        base.initialize(repeating: 0, count: max(count, 1))
    }

    deinit { base.deallocate() }

    public var elements: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
