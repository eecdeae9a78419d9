import Foundation
import Foundations

/// Writes tensors as a safetensors file whose bytes depend on its content alone.
///
/// The file is that of ``SafetensorsLayout``.
public struct SafetensorsWriter: Sendable {
    public var tensors: [String: StoredTensor]
    public var metadata: [String: String]

    public init(tensors: [String: StoredTensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// The bytes of the file.
    /// - Throws: as `SafetensorsLayout.init`.
    public func data() throws -> Data {
        let layout = try SafetensorsLayout(
            tensors.map { TensorDeclaration($0.key, $0.value.type, shape: $0.value.shape) }, metadata: metadata)
        var file = Data(capacity: layout.byteCount)
        file.append(layout.header)
        for (_, tensor) in tensors.sorted(by: { $0.key < $1.key }) { file.append(tensor.data) }
        return file
    }

    /// Writes the file, replacing one that exists only once the new one is complete.
    /// - Throws: as `SafetensorsLayout.init`; `OutputError`.
    public func write(to url: URL) throws {
        try OutputFolder.write(data(), to: url)
    }
}
