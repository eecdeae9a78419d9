import Foundations
import Pipeline
import Safetensors

/// A safetensors file that is filled in any order, from any thread.
final class ExportFile: Sendable {
    private let file: PendingFile
    private let layout: SafetensorsLayout

    /// Takes the room for all tensors and writes the header.
    /// - Throws: `SafetensorsError.headerTooLarge`, `OutputError`.
    init(_ file: PendingFile, tensors: [ExportTensor], document: ExportDocument) throws {
        self.file = file
        layout = try SafetensorsLayout(tensors.map(\.declaration), metadata: [ExportDocument.key: document.text()])
        try file.reserve(layout.byteCount)
        try layout.header.withUnsafeBytes { try file.write($0, at: 0) }
    }

    /// A tensor of single-precision numbers, by its first dimension.
    func rows(_ name: String) -> StoredRows {
        let tensor = record(name)
        precondition(tensor.type == .float32, "\(name) has no single-precision numbers")
        return StoredRows(
            file: file, offset: tensor.byteRange.lowerBound, count: tensor.shape.first ?? 1,
            width: tensor.shape.dropFirst().reduce(1, *))
    }

    /// Writes a whole tensor.
    /// - Throws: `OutputError`.
    func write<Element: BitwiseCopyable>(_ name: String, _ values: [Element]) throws {
        let place = record(name).byteRange
        try values.withUnsafeBytes { bytes in
            precondition(bytes.count == place.count, "\(bytes.count) bytes for the \(place.count) of \(name)")
            try file.write(bytes, at: place.lowerBound)
        }
    }

    private func record(_ name: String) -> TensorRecord {
        guard let tensor = layout.tensors[name] else { preconditionFailure("\(name) was not declared") }
        return tensor
    }

    /// - Throws: `OutputError`.
    func commit() throws { try file.commit() }
}
