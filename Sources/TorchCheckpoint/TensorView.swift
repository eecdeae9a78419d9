import Pickle
import Safetensors

/// A tensor as a pickle describes it: a strided view of a storage.
struct TensorView: Sendable {
    let storage: TorchStorage
    /// Place of the first element in the storage, in elements, as strides are.
    let offset: Int
    let shape: [Int]
    let strides: [Int]

    /// An expanded view may have more elements than its storage, but no more than this.
    private static let expandedLimit = 1 << 24

    private static let argumentLimit = 8
    private static let dimensionLimit = 64

    /// Whether `value` is what torch writes for a tensor or parameter.
    static func isTensor(_ value: PickleValue) -> Bool {
        guard let callable = value.object?.callable else { return false }
        return TorchVocabulary.rebuilders[callable] != nil || callable == TorchVocabulary.rebuildFromType
    }

    /// - Throws: `TensorDefect`.
    init(_ value: PickleValue) throws {
        var (function, arguments) = try Self.call(value)
        // A parameter holds a tensor; no writer puts more around that.
        for _ in 0..<4 {
            switch TorchVocabulary.rebuilders[function] {
            case .view:
                try self.init(viewOf: arguments, function: function)
                return
            case .wrapper:
                guard let inner = arguments.first else { throw Self.badArguments(of: function) }
                (function, arguments) = try Self.call(inner)
            case nil: throw Self.badArguments(of: function)
            }
        }
        throw Self.badArguments(of: function)
    }

    /// The function that makes a tensor, and its arguments.
    private static func call(_ value: PickleValue) throws -> (PickleGlobal, [PickleValue]) {
        guard let object = value.object, let arguments = object.arguments.elements(upTo: argumentLimit) else {
            throw TensorDefect.badArguments(function: "")
        }
        guard object.callable == TorchVocabulary.rebuildFromType else { return (object.callable, arguments) }
        guard arguments.count == 4, let function = arguments[0].global,
            let inner = arguments[2].elements(upTo: argumentLimit)
        else { throw badArguments(of: object.callable) }
        return (function, inner)
    }

    private init(viewOf arguments: [PickleValue], function: PickleGlobal) throws {
        guard arguments.count >= 4, let id = arguments[0].persistentID, let offset = arguments[1].int,
            let shape = Self.integers(arguments[2]), let strides = Self.integers(arguments[3]),
            shape.count == strides.count, offset >= 0, strides.allSatisfy({ $0 >= 0 })
        else { throw Self.badArguments(of: function) }
        guard let storage = TorchStorage(id) else {
            let name = id.elements(upTo: Self.argumentLimit)?.dropFirst().first?.global
            throw TensorDefect.unknownStorage(name.map { "\($0.module).\($0.name)" } ?? "")
        }
        self.offset = offset
        self.shape = shape
        self.strides = strides
        self.storage = storage
        guard let bytes = storage.type.byteCount(ofShape: shape),
            bytes / storage.elementBytes <= max(storage.count, Self.expandedLimit)
        else { throw TensorDefect.badShape(shape) }
        guard let extent = Self.extent(shape, strides), extent <= storage.count - min(offset, storage.count),
            offset <= storage.count
        else { throw TensorDefect.beyondStorage(elements: storage.count) }
    }

    private static func badArguments(of function: PickleGlobal) -> TensorDefect {
        .badArguments(function: "\(function.module).\(function.name)")
    }

    private static func integers(_ value: PickleValue) -> [Int]? {
        // A shape may be wrapped into torch.Size.
        let tuple = value.object?.arguments.elements(upTo: 1)?.first ?? value
        guard let numbers = tuple.elements(upTo: dimensionLimit)?.map(\.int) else { return nil }
        return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
    }

    /// Elements from the first to the last one of a view, both included; nil where that overflows.
    private static func extent(_ shape: [Int], _ strides: [Int]) -> Int? {
        if shape.contains(0) { return 0 }
        var last = 0
        for (dimension, stride) in zip(shape, strides) {
            let (reach, tooFar) = (dimension - 1).multipliedReportingOverflow(by: stride)
            let (sum, overflow) = last.addingReportingOverflow(reach)
            guard !tooFar, !overflow, sum < Int.max else { return nil }
            last = sum
        }
        return last + 1
    }
}

// MARK: - Bytes

extension TensorView {
    /// Where the view's elements lie in the storage, in bytes.
    var byteRange: Range<Int> {
        let extent = Self.extent(shape, strides) ?? 0
        return offset * storage.elementBytes..<(offset + extent) * storage.elementBytes
    }

    /// The view's elements, row by row, taken from the bytes of `byteRange`.
    func gathered(from bytes: [UInt8]) -> [UInt8] {
        // Sizes of a tensor without elements may be anything.
        if shape.contains(0) { return [] }
        if isContiguous { return bytes }
        let size = storage.elementBytes
        let count = shape.reduce(1, *)
        return [UInt8](unsafeUninitializedCapacity: count * size) { result, initialized in
            var index = [Int](repeating: 0, count: shape.count)
            var source = 0
            for element in 0..<count {
                for byte in 0..<size {
                    result.initializeElement(at: element * size + byte, to: bytes[source * size + byte])
                }
                // Counts up like an odometer, the last index first.
                for axis in shape.indices.reversed() {
                    index[axis] += 1
                    source += strides[axis]
                    if index[axis] < shape[axis] { break }
                    source -= index[axis] * strides[axis]
                    index[axis] = 0
                }
            }
            initialized = count * size
        }
    }

    private var isContiguous: Bool {
        var expected = 1
        for (dimension, stride) in zip(shape, strides).reversed() where dimension != 1 {
            if stride != expected { return false }
            expected *= dimension
        }
        return true
    }
}
