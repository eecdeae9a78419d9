import Archives
import Foundation
import Pickle
import Safetensors

/// The tensors of a file that `torch.save` or `torch.jit.save` wrote, under their state-dict names.
///
/// Nothing of the file is ever executed. Tensors are read when they are asked for, from several threads
/// if need be.
public struct TorchCheckpoint: Sendable {
    /// How the file holds its tensors.
    public enum Layout: Equatable, Sendable {
        /// `torch.save` of a state dict, alone or beside other things.
        case stateDict
        /// `torch.jit.save` of a module, as OpenAI publishes CLIP.
        case torchScript
        /// `torch.save` before PyTorch 1.6: pickles and storages without a zip file around them.
        case legacy
    }

    /// Element type and shape of a tensor.
    public struct Record: Equatable, Sendable {
        public let type: ElementType
        public let shape: [Int]
    }

    public let path: String
    public let layout: Layout
    /// Every tensor of the file. The prefix `module.` is taken off where all names have it.
    public let tensors: [String: Record]

    private let views: [String: TensorView]
    private let storages: Storages

    /// Reads the pickle of a file and checks every tensor's place.
    /// - Throws: `TorchCheckpointError`; `ArchiveError` for a bad zip file.
    public init(contentsOf url: URL) throws {
        do {
            let file = try RandomAccessFile(path: url.path)
            let head = try file.bytes(0..<min(file.size, Self.headBytes))
            if LegacyFile.recognises(head) {
                try self.init(legacy: file)
            } else if Self.isZip(head) {
                try self.init(archive: Archive(path: url.path))
            } else {
                throw TorchCheckpointError.notACheckpoint(path: url.path)
            }
        } catch let error as PickleError {
            throw TorchCheckpointError.pickle(path: url.path, error)
        }
    }

    /// Whether a file begins as a zip file or as a legacy file of torch does.
    public static func recognises(_ url: URL) -> Bool {
        guard let file = try? RandomAccessFile(path: url.path),
            let head = try? file.bytes(0..<min(file.size, headBytes))
        else { return false }
        return isZip(head) || LegacyFile.recognises(head)
    }

    /// Enough to tell the formats apart.
    private static let headBytes = 16

    private static func isZip(_ head: [UInt8]) -> Bool {
        head.starts(with: [0x50, 0x4B, 0x03, 0x04])
    }

    // MARK: Layouts

    private init(archive: Archive) throws {
        let path = archive.location
        // Everything lies in one folder, which has the file's first name or is called `archive`.
        let pickles = (0..<archive.count).filter { entry in
            let parts = archive.path(of: entry).split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 && parts[1] == "data.pkl"
        }
        guard pickles.count == 1, let pickle = pickles.first else {
            throw TorchCheckpointError.noPickle(path: path)
        }
        let folder = String(archive.path(of: pickle).dropLast("data.pkl".count))
        if let byteOrder = archive.file(at: folder + "byteorder"),
            try archive.size(of: byteOrder) != 6 || !archive.contents(of: byteOrder).elementsEqual("little".utf8)
        {
            throw TorchCheckpointError.bigEndian(path: path)
        }
        let pickleBytes = archive.size(of: pickle)
        guard pickleBytes <= PickleLimits.standard.bytes else {
            throw PickleError.tooManyBytes(pickleBytes, limit: PickleLimits.standard.bytes)
        }
        let root = try Unpickler.read(archive.contents(of: pickle), vocabulary: TorchVocabulary.all).value
        let (names, views) = try Self.views(in: root, path: path)
        try self.init(
            path: path, layout: names.isModule ? .torchScript : .stateDict, views: views,
            storages: .entries(archive, folders: [folder + "data/", folder + "constants/"]))
    }

    private init(legacy file: RandomAccessFile) throws {
        let legacy = try LegacyFile(file)
        guard legacy.isLittleEndian else { throw TorchCheckpointError.bigEndian(path: file.path) }
        let (_, views) = try Self.views(in: legacy.root, path: file.path)
        try self.init(
            path: file.path, layout: .legacy, views: views, storages: .ranges(file, legacy.ranges(in: file)))
    }

    private init(path: String, layout: Layout, views: [String: TensorView], storages: Storages) throws {
        self.path = path
        self.layout = layout
        self.views = views
        self.storages = storages
        tensors = views.mapValues { Record(type: $0.storage.type, shape: $0.shape) }
        for (name, view) in views.sorted(by: { $0.key < $1.key }) {
            guard let found = storages.size(of: view.storage.key) else {
                throw TorchCheckpointError.malformed(
                    path: path, tensor: name, defect: .missingStorage(key: view.storage.key))
            }
            let expected = view.storage.count * view.storage.elementBytes
            guard found == expected else {
                throw TorchCheckpointError.malformed(
                    path: path, tensor: name,
                    defect: .storageSize(key: view.storage.key, expected: expected, found: found))
            }
        }
    }

    private static func views(
        in root: PickleValue, path: String
    ) throws -> (names: TensorNames, views: [String: TensorView]) {
        var current: String?
        do {
            let names = try TensorNames(in: root)
            guard !names.tensors.isEmpty else { throw TorchCheckpointError.noTensors(path: path) }
            var views: [String: TensorView] = [:]
            for (name, value) in names.tensors {
                current = name
                guard views.updateValue(try TensorView(value), forKey: name) == nil else {
                    throw TensorDefect.duplicateName
                }
            }
            return (names, views)
        } catch let defect as TensorDefect {
            throw TorchCheckpointError.malformed(path: path, tensor: current, defect: defect)
        }
    }

    // MARK: Reading

    /// A tensor, row-major and contiguous, in the type of the file.
    /// - Throws: `TorchCheckpointError.noSuchTensor`; `ArchiveError` where the file cannot be read, or a
    ///   storage has not the CRC that the zip file states.
    public func tensor(_ name: String) throws -> StoredTensor {
        guard let view = views[name] else {
            throw TorchCheckpointError.noSuchTensor(path: path, tensor: name)
        }
        let bytes = try storages.bytes(of: view.storage.key, in: view.byteRange)
        return try StoredTensor(type: view.storage.type, shape: view.shape, data: Data(view.gathered(from: bytes)))
    }

    /// The elements of an F16, BF16, F32 or F64 tensor; those of F64 are rounded.
    /// - Throws: as `tensor` does; `TorchCheckpointError.notConvertible`.
    public func floats(_ name: String) throws -> [Float] {
        let tensor = try tensor(name)
        switch tensor.type {
        case .float16, .bfloat16, .float32: return try tensor.floats()
        case .float64: return try tensor.doubles().map { Float($0) }
        default: throw notConvertible(name, tensor.type, to: "Float")
        }
    }

    /// The elements of a tensor of integers.
    /// - Throws: as `tensor` does; `TorchCheckpointError.notConvertible`.
    public func int64s(_ name: String) throws -> [Int64] {
        let tensor = try tensor(name)
        switch tensor.type {
        case .int64:
            return tensor.data.withUnsafeBytes { bytes in
                (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }
            }
        case .int32, .int16, .int8, .uint8: return try tensor.int32s().map(Int64.init)
        default: throw notConvertible(name, tensor.type, to: "Int64")
        }
    }

    private func notConvertible(_ name: String, _ type: ElementType, to wanted: String) -> TorchCheckpointError {
        .notConvertible(path: path, tensor: name, stored: type, wanted: wanted)
    }
}
