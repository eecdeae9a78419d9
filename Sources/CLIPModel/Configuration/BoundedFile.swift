import Foundation

/// Reads small files of a model folder, whatever is found under their names.
enum BoundedFile {
    enum Failure: Error, Equatable {
        case missing
        case unreadable(reason: String)
        case tooLarge(limitInBytes: Int)
    }

    /// The bytes of a file no longer than `limit`; of a longer one no more than that is read.
    static func bytes(at url: URL, limit: Int) throws(Failure) -> [UInt8] {
        guard FileManager.default.fileExists(atPath: url.path) else { throw .missing }
        let data: Data?
        do {
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            data = try handle.read(upToCount: limit + 1)
        } catch {
            throw .unreadable(reason: error.localizedDescription)
        }
        let bytes = data.map { [UInt8]($0) } ?? []
        guard bytes.count <= limit else { throw .tooLarge(limitInBytes: limit) }
        return bytes
    }
}
