import Foundation

/// A tmpfs of a few MiB, for the disk that is full.
struct SmallDisk {
    let url: URL

    /// Whether this machine lets the tests mount one.
    static let isPossible: Bool = {
        guard let folder = try? RunnerProcess.temporaryFolder(), let disk = try? SmallDisk(at: folder, mebibytes: 1)
        else {
            return false
        }
        disk.unmount()
        return true
    }()

    init(at url: URL, mebibytes: Int) throws {
        self.url = url
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try Self.command(["mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", url.path])
    }

    func resize(mebibytes: Int) throws {
        try Self.command(["mount", "-o", "remount,size=\(mebibytes)m", url.path])
    }

    func unmount() {
        // Nothing can be done about a mount that stays; the folder is a temporary one.
        _ = try? Self.command(["umount", "-l", url.path])
    }

    private struct CommandFailed: Error {}

    private static func command(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CommandFailed() }
    }
}
