import Foundation
import Foundations
import Inputs
import Pipeline
import Synchronization

/// What was found out about files, kept beside the artefacts until the files change: digests of weights
/// and lists of pictures take minutes of reading, and every command needs them before it can plan.
///
/// Nothing is written before ``keep()``: a spec that is refused, and a plan, leave no folder behind.
final class InputMemo: Sendable {
    private let folder: OutputFolder?
    /// Files that are written as soon as that is allowed.
    private let pending = Mutex<[String: Data]>([:])

    /// - Parameter folder: nil keeps nothing.
    init(folder: OutputFolder?) { self.folder = folder }

    /// Where indices of archives are kept.
    var indices: IndexedArchive.Shelf? {
        folder.map { folder in
            IndexedArchive.Shelf(folder: folder.url) { [self] data, name in pending.withLock { $0[name] = data } }
        }
    }

    /// Writes what was found out. What cannot be kept costs time only, the next time.
    func keep() {
        guard let folder else { return }
        let files = pending.withLock { pending in
            defer { pending = [:] }
            return pending
        }
        for (name, data) in files { try? folder.write(data, as: name) }
    }

    /// The kept value, or what `make` makes.
    /// - Parameters:
    ///   - files: what the value depends on; see `FileMarks`.
    ///   - key: what else it depends on.
    /// - Throws: what `make` throws.
    func value<Value: Codable>(_ kind: String, of files: [URL], key: String, make: () throws -> Value) throws -> Value {
        guard let folder, let marks = Self.marks(files) else { return try make() }
        let name = "\(kind)-\(Digest.sha256(of: Data("\(kind)\n\(key)\n\(marks)".utf8))).json"
        if let kept: Kept<Value> = read(folder.file(name)) { return kept.value }
        let value = try make()
        // What was read while somebody wrote is nothing to keep.
        if Self.marks(files) == marks { write(value, as: name) }
        return value
    }

    /// A digest of the marks, which take hundreds of bytes a picture; nil while files may change without showing it.
    private static func marks(_ files: [URL]) -> String? {
        FileMarks(files).flatMap { $0.areSettled ? $0.digest : nil }
    }

    private struct Kept<Value: Codable>: Codable {
        var value: Value
    }

    /// Nil for a file that is missing or damaged: the first line is the digest of the rest.
    private func read<Value: Codable>(_ url: URL) -> Kept<Value>? {
        guard let data = try? RegularFile.contents(of: url.path, limit: 1 << 32),
            let end = data.firstIndex(of: UInt8(ascii: "\n"))
        else { return nil }
        let body = data[(end + 1)...]
        guard data[..<end].elementsEqual(Digest.sha256(of: Data(body)).utf8) else { return nil }
        return try? JSONDecoder().decode(Kept<Value>.self, from: Data(body))
    }

    private func write(_ value: some Codable, as name: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let body = try? encoder.encode(Kept(value: value)) else { return }
        pending.withLock { $0[name] = Data((Digest.sha256(of: body) + "\n").utf8) + body }
    }
}
