import Foundation
import Foundations

/// What the shell that started the program allows it.
enum ProcessLimits {
    /// Files that are open at once, at most: the database with its journal, a shard on each worker, pipes to other programs.
    private static let neededFiles: rlim_t = 64

    /// Takes as many open files as are to be had, and has a write beyond the limit of file sizes fail, instead of ending the
    /// process by a signal. Ends the process with a word where the limits are too small to work at all.
    static func prepare() {
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit()
        guard getrlimit(openFiles, &limit) == 0, limit.rlim_cur < limit.rlim_max || limit.rlim_cur < neededFiles else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(openFiles, &limit)
        guard getrlimit(openFiles, &limit) == 0, limit.rlim_cur < neededFiles else { return }
        Failure(
            .unavailable, "only \(limit.rlim_cur) files may be open at once; the program needs \(neededFiles)", fix: "raise the limit (ulimit -n 1024)"
        ).exit()
    }

    /// Bytes of memory that nobody uses: the machine's, or what is left of the container's; nil where neither is told.
    static func availableMemory() -> Int? {
        func text(_ path: String) -> String? {
            (try? RegularFile.contents(of: path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
        }
        let machine = text("/proc/meminfo")?.firstMatch(of: /MemAvailable: +([0-9]+) kB/).flatMap { Int($0.1) }.map { $0 << 10 }
        func group(_ name: String) -> Int? { text("/sys/fs/cgroup/memory.\(name)").flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } }
        let container = group("max").flatMap { limit in group("current").map { max(0, limit - $0) } }
        return [machine, container].compactMap { $0 }.min()
    }

    #if canImport(Glibc)
    private static let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    private static let openFiles = RLIMIT_NOFILE
    #endif
}
