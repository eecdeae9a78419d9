import Foundations
import Pipeline
import Safetensors

/// Fills the tensors of an export from what its steps computed.
typealias ExportWriter = @Sendable (ExecutionResult, ExportFile) throws -> Void

/// A safetensors file whose tensors are filled in any order.
final class ExportFile {
    private let file: PendingFile
    private let layout: SafetensorsLayout
    private let cancellation: Cancellation

    /// Takes the room for all tensors and writes the header.
    /// - Throws: `SafetensorsError.headerTooLarge`, `OutputError`.
    init(_ file: PendingFile, tensors: [ExportTensor], document: ExportDocument, _ cancellation: Cancellation) throws {
        (self.file, self.cancellation) = (file, cancellation)
        layout = try SafetensorsLayout(tensors.map(\.declaration), metadata: [ExportDocument.key: document.text()])
        try file.reserve(layout.byteCount)
        try layout.header.withUnsafeBytes { try file.write($0, at: 0) }
    }

    func has(_ name: String) -> Bool { layout.tensors[name] != nil }

    /// Writes whole rows of a tensor, which is counted by its first dimension.
    /// - Parameter first: the row that `values` begin with.
    /// - Throws: `PipelineError.interrupted` where the run has been cancelled, `OutputError`.
    func write<Number: BitwiseCopyable>(_ name: String, _ values: [Number], from first: Int = 0) throws {
        try cancellation.check()
        let tensor = record(name)
        let width = tensor.shape.dropFirst().reduce(1, *)
        precondition(
            values.count.isMultiple(of: width) && first + values.count / width <= tensor.shape[0],
            "\(values.count) numbers from row \(first) of \(name), \(tensor.shape)")
        try values.withUnsafeBytes {
            try file.write($0, at: tensor.byteRange.lowerBound + first * width * MemoryLayout<Number>.size)
        }
    }

    /// Writes a part of a row of single-precision numbers.
    /// - Throws: `PipelineError.interrupted` where the run has been cancelled, `OutputError`.
    func write(_ name: String, _ values: UnsafePointer<Float>, count: Int, row: Int, column: Int) throws {
        try cancellation.check()
        let tensor = record(name)
        let width = tensor.shape.dropFirst().reduce(1, *)
        precondition(
            row < tensor.shape[0] && column + count <= width, "\(count) from \(column) of row \(row) of \(name)")
        try file.write(
            UnsafeRawBufferPointer(start: values, count: count * 4),
            at: tensor.byteRange.lowerBound + (row * width + column) * 4)
    }

    private func record(_ name: String) -> TensorRecord {
        guard let tensor = layout.tensors[name] else { preconditionFailure("\(name) was not declared") }
        return tensor
    }

    /// - Throws: `PipelineError.interrupted` where the run has been cancelled, `OutputError`.
    func commit() throws {
        try cancellation.check()
        try file.commit()
    }
}
