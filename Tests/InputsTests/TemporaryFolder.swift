import Foundation
import Inputs
import Testing

/// A folder of a test's own, removed with the object.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("inputs-tests-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func file(_ name: String, _ contents: Data) throws -> URL {
        let file = url.appendingPathComponent(name)
        try contents.write(to: file)
        return file
    }

    func file(_ name: String, _ contents: String) throws -> URL { try file(name, Data(contents.utf8)) }
}

/// The error that `body` throws; a failed expectation when it throws none, or one that is no `InputError`.
func inputError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> some Any
) -> InputError? {
    #expect(throws: InputError.self, sourceLocation: sourceLocation) { _ = try body() }
}
