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
