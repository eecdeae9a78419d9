import Foundation

@testable import Archives

/// What `scripts/make_archive_fixtures.py` wrote.
enum Samples {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    static func path(_ name: String) -> String {
        folder.appendingPathComponent(name).path
    }

    private struct Expected: Decodable {
        let files: [String: Data]
    }

    /// The files that every good archive holds.
    static func files() throws -> [String: [UInt8]] {
        let data = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
        return try JSONDecoder().decode(Expected.self, from: data).files.mapValues { Array($0) }
    }
}

/// A file that is gone at the end of a test.
final class TemporaryFile {
    let path: String

    init(_ bytes: some Sequence<UInt8> = []) throws {
        path = FileManager.default.temporaryDirectory.path + "/archives-\(UUID().uuidString)"
        try write(bytes)
    }

    func write(_ bytes: some Sequence<UInt8>) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
