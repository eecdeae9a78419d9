import Foundation

/// Files beside the tests, found from this file's own path so that they need not be resources of a bundle.
enum Fixtures {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    /// What a script wrote, with the versions that made it.
    private struct File<Case: Decodable>: Decodable {
        let cases: [Case]
    }

    static func cases<Case: Decodable>(_ type: Case.Type, _ name: String) throws -> [Case] {
        try JSONDecoder().decode(File<Case>.self, from: Data(contentsOf: folder.appendingPathComponent(name))).cases
    }
}
