import Archives
import Pickle
import Safetensors

/// Where the storages of a checkpoint lie.
enum Storages: Sendable {
    /// In entries of a zip file, under the first of these folders that has them.
    case entries(Archive, folders: [String])
    /// In a legacy file, behind its pickles.
    case ranges(RandomAccessFile, [String: Range<Int>])

    /// Size of a storage, or nil where there is none under the key.
    func size(of key: String) -> Int? {
        switch self {
        case .entries(let archive, let folders):
            Self.entry(key, in: archive, folders).map { archive.size(of: $0) }
        case .ranges(_, let ranges): ranges[key]?.count
        }
    }

    /// Some bytes of a storage. A storage that is read as a whole has its CRC checked.
    /// - Throws: `ArchiveError`.
    func bytes(of key: String, in range: Range<Int>) throws -> [UInt8] {
        switch self {
        case .entries(let archive, let folders):
            guard let entry = Self.entry(key, in: archive, folders) else {
                throw ArchiveError.noSuchFile(location: archive.location, path: key)
            }
            if range == 0..<archive.size(of: entry) { return try archive.contents(of: entry) }
            if case .plain = archive.index[entry].storage { return try archive.contents(of: entry, in: range) }
            return Array(try archive.contents(of: entry)[range])
        case .ranges(let file, let ranges):
            guard let storage = ranges[key], range.upperBound <= storage.count else {
                throw ArchiveError.noSuchFile(location: file.path, path: key)
            }
            return try file.bytes(storage.lowerBound + range.lowerBound..<storage.lowerBound + range.upperBound)
        }
    }

    private static func entry(_ key: String, in archive: Archive, _ folders: [String]) -> Int? {
        folders.lazy.compactMap { archive.file(at: $0 + key) }.first
    }
}

/// A storage as a pickle refers to it: a run of elements of one type under a key.
struct TorchStorage: Sendable {
    let key: String
    let type: ElementType
    /// Elements of the whole storage.
    let count: Int

    var elementBytes: Int { type.bits / 8 }

    /// Reads `('storage', class, key, device, elements)`, which legacy files end with a view of the
    /// storage or None. Nil for anything else, also for a view.
    init?(_ id: PickleValue) {
        guard let parts = id.elements(upTo: 6), parts.count >= 5, parts[0].string == "storage",
            let storageClass = parts[1].global, storageClass.module == "torch",
            let type = TorchVocabulary.storageTypes[storageClass.name], let key = parts[2].string,
            let count = parts[4].int, type.byteCount(ofShape: [count]) != nil, parts.count == 5 || parts[5].isNone
        else { return nil }
        self.key = key
        self.type = type
        self.count = count
    }
}
