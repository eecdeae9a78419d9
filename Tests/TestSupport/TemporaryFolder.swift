import Foundation

/// A folder of a test's own, removed with the object.
public final class TemporaryFolder: Sendable {
    public let url: URL

    public init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("clip-lens-tests-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// Paths of all files below the folder, sorted, relative to it.
    public func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: url.path).filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(
                atPath: url.appendingPathComponent(path).path, isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    /// Path and bytes of the files whose name has a suffix.
    public func contents(suffix: String) throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for path in try files() where path.hasSuffix(suffix) {
            contents[path] = try Data(contentsOf: url.appendingPathComponent(path))
        }
        return contents
    }
}
