import Foundation

/// A folder of a test's own, removed with the object.
public final class TemporaryFolder: Sendable {
    public let url: URL

    /// - Parameter files: contents by name.
    public init(_ files: [String: Data] = [:]) throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("clip-lens-tests-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, contents) in files { try file(name, contents) }
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    public func file(_ name: String) -> URL { url.appendingPathComponent(name) }
    public func path(_ name: String) -> String { file(name).path }

    @discardableResult
    public func file(_ name: String, _ contents: Data) throws -> URL {
        try contents.write(to: file(name))
        return file(name)
    }

    @discardableResult
    public func file(_ name: String, _ contents: String) throws -> URL { try file(name, Data(contents.utf8)) }

    /// What is in the folder itself, sorted.
    public func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }

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

/// Folders that nobody removes by hand: they go when the process of the tests ends.
public enum ProcessFolder {
    private static let root: String = {
        var template = Array((FileManager.default.temporaryDirectory.path + "/clip-lens-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            preconditionFailure("no temporary folder: \(String(cString: strerror(errno)))")
        }
        atexit { try? FileManager.default.removeItem(atPath: ProcessFolder.root) }
        return template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }()

    /// A new empty folder.
    public static func make() throws -> URL {
        let url = URL(fileURLWithPath: root, isDirectory: true).appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }
}

/// A file system of a few MiB, for the disk that is full; only a privileged process may mount one.
public final class SmallDisk {
    public static let isAvailable = (try? SmallDisk()) != nil

    public let url: URL

    /// - Parameter url: a folder that is made where it is missing; nil takes a temporary one.
    /// - Throws: `POSIXError` where the file system cannot be mounted.
    public init(at url: URL? = nil, mebibytes: Int = 1) throws {
        self.url =
            url
            ?? FileManager.default.temporaryDirectory
            .appendingPathComponent("small-disk-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true)
        try mount(mebibytes, flags: 0)
    }

    /// - Throws: `POSIXError`.
    public func resize(mebibytes: Int) throws { try mount(mebibytes, flags: UInt(MS_REMOUNT)) }

    private func mount(_ mebibytes: Int, flags: UInt) throws {
        guard Glibc.mount("tmpfs", url.path, "tmpfs", flags, "size=\(mebibytes)m") == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
        }
    }

    /// Takes the file system away, with all that is in it.
    public func unmount() { umount2(url.path, Int32(MNT_DETACH)) }

    deinit {
        unmount()
        try? FileManager.default.removeItem(at: url)
    }
}
