import Safetensors

/// A tensor of an export, and what its reader has to know of it.
public struct ExportTensor: Sendable {
    /// What is counted along one dimension, and how far.
    public struct Axis: Sendable {
        public let name: String
        public let count: Int

        init(_ name: String, _ count: Int) {
            self.name = name
            self.count = count
        }
    }

    public let name: String
    public let axes: [Axis]
    public let unit: String
    public let meaning: String
    /// Where the number is defined, or how it is made of the others.
    public let equation: String?
    let type: ElementType

    init(
        _ name: String, _ axes: [Axis], type: ElementType = .float32, unit: String, meaning: String,
        equation: String? = nil
    ) {
        (self.name, self.axes, self.type, self.unit, self.meaning, self.equation) = (
            name, axes, type, unit, meaning, equation
        )
    }

    public var shape: [Int] { axes.map(\.count) }
    var declaration: TensorDeclaration { TensorDeclaration(name, type, shape: shape) }
}
