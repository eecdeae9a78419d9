import Archives
import Pickle

/// A file that `torch.save` wrote before PyTorch 1.6.
///
/// Five pickles follow each other: a magic number, the version 1001, facts on the machine, the object,
/// and the keys of the storages; then each storage in the order of the keys, as a 64-bit number of
/// elements and the elements.
struct LegacyFile {
    let root: PickleValue
    /// Keys of the storages, in the order in which they lie.
    let keys: [String]
    /// Where the first storage starts.
    let end: Int
    let isLittleEndian: Bool

    /// The pickle of the magic number, behind the two bytes of its protocol.
    private static let magic: [UInt8] = [
        0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]
    private static let version = 1001
    /// The pickles hold names and shapes, no numbers: this is enough for a million tensors.
    private static let headLimit = 64 << 20

    static func recognises(_ head: [UInt8]) -> Bool {
        head.first == 0x80 && head.dropFirst(2).starts(with: magic)
    }

    /// Reads the pickles.
    /// - Throws: `PickleError`, `ArchiveError`; `TorchCheckpointError.notACheckpoint`.
    init(_ file: RandomAccessFile) throws {
        let head = try file.bytes(0..<min(file.size, Self.headLimit))
        var position = 0
        func next() throws -> PickleValue {
            let (value, end) = try Unpickler.read(head, from: position, vocabulary: TorchVocabulary.all)
            position = end
            return value
        }
        guard Self.recognises(head), case .largeInt = try next().content, try next().int == Self.version else {
            throw TorchCheckpointError.notACheckpoint(path: file.path)
        }
        isLittleEndian = try next()["little_endian"]?.bool ?? true
        root = try next()
        guard let keys = try next().elements?.map(\.string), !keys.contains(nil) else {
            throw TorchCheckpointError.notACheckpoint(path: file.path)
        }
        self.keys = keys.compactMap { $0 }
        end = position
    }

    /// Where the storages lie.
    /// - Throws: `ArchiveError`; `TorchCheckpointError.malformed`.
    func ranges(in file: RandomAccessFile) throws -> [String: Range<Int>] {
        var elementBytes: [String: Int] = [:]
        for id in root.persistentIDsOfPickle {
            guard let storage = TorchStorage(id) else { continue }
            elementBytes[storage.key] = storage.type.bits / 8
        }
        var ranges: [String: Range<Int>] = [:]
        var position = end
        for key in keys {
            // Without its type a storage has no length, and those behind it have no place.
            guard let elementBytes = elementBytes[key] else { break }
            guard file.size - position >= 8 else { throw truncated(file, key, expected: 8, at: position) }
            let count = try file.bytes(position..<position + 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            position += 8
            guard count <= (file.size - position) / elementBytes else {
                throw truncated(file, key, expected: Int(clamping: count), at: position)
            }
            let bytes = Int(count) * elementBytes
            ranges[key] = position..<position + bytes
            position += bytes
        }
        return ranges
    }

    private func truncated(
        _ file: RandomAccessFile, _ key: String, expected: Int, at position: Int
    ) -> TorchCheckpointError {
        .malformed(
            path: file.path, tensor: nil,
            defect: .storageSize(key: key, expected: expected, found: file.size - position))
    }
}
