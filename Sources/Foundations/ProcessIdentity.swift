import Foundation

/// A process, told apart from every other on its host, before and after.
///
/// A process id alone is given again; with the time the process started, in clock ticks since the
/// boot that `bootID` names, it is not. No wall clock is involved.
public struct ProcessIdentity: Codable, Hashable, Sendable {
    public let host: String
    public let bootID: String
    public let pid: Int32
    /// Clock ticks between boot and the start of the process; 0 where the system does not tell.
    public let startTicks: UInt64

    public init(host: String, bootID: String, pid: Int32, startTicks: UInt64) {
        self.host = host
        self.bootID = bootID
        self.pid = pid
        self.startTicks = startTicks
    }

    public static let current = ProcessIdentity(
        host: currentHost, bootID: currentBootID, pid: getpid(),
        startTicks: startTicks(of: getpid()) ?? 0)

    /// Whether the process still runs; nil for a process of another host, of which nothing is known.
    public var isRunning: Bool? {
        guard host == Self.current.host else { return nil }
        guard bootID == Self.current.bootID else { return false }
        return Self.startTicks(of: pid) == startTicks
    }

    /// A name for the attempt of this process, fit for a file's name.
    ///
    /// Two containers of one host may have the same boot, process id and start, and two hosts of a cluster too:
    /// chance tells them apart.
    public var attempt: String { "\(bootID.prefix(8))-\(pid)-\(startTicks)-\(Self.chance)" }

    private static let chance = String(UInt64.random(in: 0...UInt64.max), radix: 36)

    // `ProcessInfo.hostName` may ask a name server, and wait for it.
    private static let currentHost = {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let bytes = name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return String(decoding: bytes, as: UTF8.self)
    }()

    private static let currentBootID =
        text("/proc/sys/kernel/random/boot_id")?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"

    /// Nil where there is no such file, or nothing in it.
    private static func text(_ path: String) -> String? {
        guard let data = try? RegularFile.contents(of: path, limit: 1 << 16), !data.isEmpty else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    private static func startTicks(of pid: Int32) -> UInt64? {
        guard let line = text("/proc/\(pid)/stat"),
            // The command's name stands in parentheses and may itself hold spaces and parentheses.
            let nameEnd = line.lastIndex(of: ")")
        else { return nil }
        // Fields 3 (state) and 22 (start) of proc(5). A zombie is over, though not yet reaped.
        let fields = line[line.index(after: nameEnd)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }
}
