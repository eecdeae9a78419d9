/// An array of numpy, as a pickle holds it: element type, shape and bytes.
public struct NumpyArray: Equatable, Sendable {
    /// numpy's type string without byte order, such as `u1` or `f4`.
    public let type: String
    public let isBigEndian: Bool
    public let shape: [Int]
    /// Whether the first index varies fastest.
    public let isFortranOrder: Bool
    public let bytes: [UInt8]

    /// Reads an array; nil unless `value` is one of numbers whose bytes fill its shape.
    ///
    /// Its state is `(version, shape, dtype, is Fortran, bytes)`; a dtype is made of its type string and
    /// has a state whose second member is the byte order.
    public init?(_ value: PickleValue) {
        guard let array = value.object, Self.modules.contains(array.callable.module),
            array.callable.name == "_reconstruct", let state = array.state?.elements, state.count == 5,
            let dimensions = state[1].elements, let dtype = state[2].object,
            dtype.callable == PickleGlobal("numpy", "dtype"), let type = dtype.arguments.elements?.first?.string,
            let isFortranOrder = state[3].bool ?? state[3].int.map({ $0 != 0 }), let bytes = state[4].bytes
        else { return nil }
        let shape = dimensions.compactMap(\.int)
        guard shape.count == dimensions.count, shape.allSatisfy({ $0 >= 0 }), let kind = type.first,
            "biuf".contains(kind), let elementBytes = Int(type.dropFirst()), (1...16).contains(elementBytes)
        else { return nil }
        var size = elementBytes
        for dimension in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
            guard !overflow else { return nil }
            size = product
        }
        guard size == bytes.count else { return nil }
        self.type = type
        isBigEndian = dtype.state?.elements?.dropFirst().first?.string == ">"
        self.shape = shape
        self.isFortranOrder = isFortranOrder
        self.bytes = bytes
    }

    private static let modules: Set = ["numpy.core.multiarray", "numpy._core.multiarray"]
}
