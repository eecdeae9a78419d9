import Foundation
import Inputs
import Pipeline
import Synchronization

/// What was found out about files, kept beside the artefacts until the files change: digests of weights
/// and lists of pictures take minutes of reading, and every command needs them before it can plan.
///
/// Nothing is written before ``keep()``: a spec that is refused, and a plan, leave no folder behind.
final class InputMemo: Sendable {
    private let folder: URL?
    /// Files that are written as soon as that is allowed.
    private let pending = Mutex<[URL: Data]>([:])

    /// - Parameter folder: nil keeps nothing.
    init(folder: URL?) { self.folder = folder }

    /// Where indices of archives are kept.
    var indices: IndexedArchive.Shelf? {
        folder.map { folder in IndexedArchive.Shelf(folder: folder) { [self] data, url in pending.withLock { $0[url] = data } } }
    }

    /// Writes what was found out. What cannot be kept costs time only, the next time.
    func keep() {
        guard let folder else { return }
        let files = pending.withLock { pending in
            defer { pending = [:] }
            return pending
        }
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (url, data) in files { try? DurableFile.write(data, to: url) }
    }

    /// The kept value, or what `make` makes.
    /// - Parameters:
    ///   - files: what the value depends on; see `FileSignature`.
    ///   - key: what else it depends on.
    /// - Throws: what `make` throws.
    func value<Value: Codable>(_ kind: String, of files: [URL], key: String, make: () throws -> Value) throws -> Value {
        // Signed before the files are read: a change while they are being read shows the next time.
        guard let folder, let signature = FileSignature.of(files) else { return try make() }
        let name = ContentDigest.sha256(Data("\(kind)\n\(key)\n\(signature)".utf8))
        let url = folder.appendingPathComponent("\(kind)-\(name).json")
        if let kept: Kept<Value> = read(url) { return kept.value }
        let value = try make()
        write(value, to: url)
        return value
    }

    private struct Kept<Value: Codable>: Codable {
        var value: Value
    }

    /// Nil for a file that is missing or damaged: the first line is the digest of the rest.
    private func read<Value: Codable>(_ url: URL) -> Kept<Value>? {
        guard let data = try? Data(contentsOf: url), let end = data.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let body = data[(end + 1)...]
        guard data[..<end].elementsEqual(Digest.sha256(of: Data(body)).utf8) else { return nil }
        return try? JSONDecoder().decode(Kept<Value>.self, from: Data(body))
    }

    private func write(_ value: some Codable, to url: URL) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let body = try? encoder.encode(Kept(value: value)) else { return }
        pending.withLock { $0[url] = Data((Digest.sha256(of: body) + "\n").utf8) + body }
    }
}
