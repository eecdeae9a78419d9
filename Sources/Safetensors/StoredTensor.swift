import Foundation

/// A tensor as a file holds it: element type, shape, and row-major little-endian bytes.
public struct StoredTensor: Equatable, Sendable {
    public let type: ElementType
    public let shape: [Int]
    public let data: Data

    /// - Throws: `SafetensorsError.shapeMismatch` unless `data` has the size that type and shape
    ///   ask for.
    public init(type: ElementType, shape: [Int], data: Data) throws {
        guard type.byteCount(ofShape: shape) == data.count else {
            throw SafetensorsError.shapeMismatch(shape: shape, type: type, bytes: data.count)
        }
        self.init(validated: type, shape: shape, data: data)
    }

    /// Some rows, counted by the first dimension; they stay where they are.
    /// - Precondition: the tensor has a dimension, and these rows.
    public subscript(rows rows: Range<Int>) -> StoredTensor {
        let rest = Array(shape.dropFirst())
        let width = type.byteCount(ofShape: rest) ?? 0
        return StoredTensor(
            validated: type, shape: [rows.count] + rest,
            data: data.dropFirst(rows.lowerBound * width).prefix(rows.count * width))
    }

    init(validated type: ElementType, shape: [Int], data: Data) {
        self.type = type
        self.shape = shape
        self.data = data
    }
}

// MARK: - From numbers

extension StoredTensor {
    /// An F32 tensor. - Throws: `SafetensorsError.shapeMismatch`.
    public init(_ values: [Float], shape: [Int]) throws {
        try self.init(type: .float32, shape: shape, data: Self.bytes(of: values))
    }

    /// An F64 tensor. - Throws: `SafetensorsError.shapeMismatch`.
    public init(_ values: [Double], shape: [Int]) throws {
        try self.init(type: .float64, shape: shape, data: Self.bytes(of: values))
    }

    /// An I32 tensor. - Throws: `SafetensorsError.shapeMismatch`.
    public init(_ values: [Int32], shape: [Int]) throws {
        try self.init(type: .int32, shape: shape, data: Self.bytes(of: values))
    }

    /// A U8 tensor. - Throws: `SafetensorsError.shapeMismatch`.
    public init(_ values: [UInt8], shape: [Int]) throws {
        try self.init(type: .uint8, shape: shape, data: Data(values))
    }

    // The format is little-endian, as is every machine that this package supports.
    private static func bytes<Element: BitwiseCopyable>(of values: [Element]) -> Data {
        values.withUnsafeBytes { Data($0) }
    }
}

// MARK: - To numbers

extension StoredTensor {
    /// The elements of an F64, F32, F16 or BF16 tensor; each value is exact.
    /// - Throws: `SafetensorsError.notConvertible`.
    public func doubles() throws -> [Double] {
        if type == .float64 { return elements(of: Double.self) }
        guard [.float32, .float16, .bfloat16].contains(type) else {
            throw notConvertible(to: "Double")
        }
        return try floats().map(Double.init)
    }

    /// The elements of a tensor of integers.
    /// - Throws: `SafetensorsError.notConvertible`; `.valueOutOfRange` where one does not fit.
    public func int32s() throws -> [Int32] {
        switch type {
        case .int32: elements(of: Int32.self)
        case .int64: try narrowed(elements(of: Int64.self))
        case .uint64: try narrowed(elements(of: UInt64.self))
        case .uint32: try narrowed(elements(of: UInt32.self))
        case .int16: elements(of: Int16.self).map(Int32.init)
        case .uint16: elements(of: UInt16.self).map(Int32.init)
        case .int8: elements(of: Int8.self).map(Int32.init)
        case .uint8: elements(of: UInt8.self).map(Int32.init)
        default: throw notConvertible(to: "Int32")
        }
    }

    /// The elements of a U8 or BOOL tensor.
    /// - Throws: `SafetensorsError.notConvertible`.
    public func uint8s() throws -> [UInt8] {
        guard type == .uint8 || type == .bool else { throw notConvertible(to: "UInt8") }
        return [UInt8](data)
    }

    /// Copies the bytes into an array: those of a mapped file need not be aligned.
    private func elements<Element: BitwiseCopyable>(of type: Element.Type) -> [Element] {
        let count = data.count / MemoryLayout<Element>.size
        return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            _ = data.copyBytes(to: buffer)
            initialized = count
        }
    }

    private func narrowed(_ values: [some BinaryInteger]) throws -> [Int32] {
        var result: [Int32] = []
        result.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let narrow = Int32(exactly: value) else {
                throw SafetensorsError.valueOutOfRange(
                    path: nil, tensor: nil, index: index, wanted: "Int32")
            }
            result.append(narrow)
        }
        return result
    }

    func notConvertible(to wanted: String) -> SafetensorsError {
        .notConvertible(path: nil, tensor: nil, stored: type, wanted: wanted)
    }
}

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
