import Foundation

/// Files beside the tests, found from this file's own path so that they need not be resources of
/// a bundle.
enum Fixtures {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    static func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        let data = try Data(contentsOf: folder.appendingPathComponent(path))
        return try JSONDecoder().decode(type, from: data)
    }
}

/// A model folder that lives as long as the test that made it.
final class TemporaryFolder {
    let url: URL

    /// - Parameter files: contents by name.
    init(_ files: [String: Data] = [:]) throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("clip-lens-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, content) in files {
            try content.write(to: url.appendingPathComponent(name))
        }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
