/// Row-major 32-bit numbers with a shape. A value: copies are independent.
public struct Tensor: Equatable, Sendable {
    public let shape: [Int]
    public var elements: [Float]

    /// - Precondition: `elements.count` is the product of `shape`.
    public init(shape: [Int], elements: [Float]) {
        precondition(shape.reduce(1, *) == elements.count, "shape \(shape) does not hold \(elements.count) elements")
        self.shape = shape
        self.elements = elements
    }

    public init(zeros shape: [Int]) {
        self.init(shape: shape, elements: [Float](repeating: 0, count: shape.reduce(1, *)))
    }

    /// Elements of one index of the first dimension.
    public var rowWidth: Int { shape.dropFirst().reduce(1, *) }

    /// The elements at index `i` of the first dimension.
    public subscript(row i: Int) -> ArraySlice<Float> {
        elements[i * rowWidth..<(i + 1) * rowWidth]
    }

    /// The transpose of a matrix. // [m, n] → [n, m]
    public func transposed() -> Tensor {
        precondition(shape.count == 2, "only a matrix has a transpose, not shape \(shape)")
        let (m, n) = (shape[0], shape[1])
        var result = Tensor(zeros: [n, m])
        for i in 0..<m {
            for j in 0..<n { result.elements[j * m + i] = elements[i * n + j] }
        }
        return result
    }

    /// Each row divided by its Euclidean norm; rows of zeros stay zero.
    public func rowsNormalised() -> Tensor {
        var result = self
        let n = rowWidth
        for i in 0..<(shape.first ?? 0) {
            let norm = elements[i * n..<(i + 1) * n].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard norm > 0 else { continue }
            for j in i * n..<(i + 1) * n { result.elements[j] = Float(Double(elements[j]) / norm) }
        }
        return result
    }
}

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
