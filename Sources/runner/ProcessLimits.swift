import Foundation
import Foundations

/// What the shell that started the program allows it.
enum ProcessLimits {
    /// Files that are open at once, at most: the database with its journal, a shard on each worker, pipes to other programs.
    private static let neededFiles: rlim_t = 64

    /// Files that are enough for hundreds of workers.
    private static let manyFiles: rlim_t = 4096

    /// Has what the process was started with end in a word where it is too little, and else not matter: standard streams
    /// that are closed, few open files, a limit of file sizes. A file that is cut short while it is mapped ends the process,
    /// but with a word.
    static func prepare() {
        // A file that is opened later must not take the number of a stream.
        while true {
            let descriptor = open("/dev/null", O_RDWR)
            if descriptor > STDERR_FILENO { close(descriptor) }
            if descriptor < 0 || descriptor > STDERR_FILENO { break }
        }
        // A write beyond the limit is an error like others.
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGBUS) { _ in
            let words: StaticString = """
                error: a file became shorter while it was read: weights, or an artefact of the cache
                fix:   let nothing write to files while a run reads them; then run the same command again, finished shards are kept

                """
            _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
            _exit(Failure.Code.badData.rawValue)
        }
        var limit = rlimit()
        guard getrlimit(openFiles, &limit) == 0, limit.rlim_cur < manyFiles else { return }
        limit.rlim_cur = min(limit.rlim_max, manyFiles)
        _ = setrlimit(openFiles, &limit)
        guard getrlimit(openFiles, &limit) == 0, limit.rlim_cur < neededFiles else { return }
        Failure(
            .unavailable, "only \(limit.rlim_cur) files may be open at once; the program needs \(neededFiles)",
            fix: "raise the limit (ulimit -n 1024)"
        ).exit()
    }

    /// Bytes of memory that nobody uses: the machine's, or what is left of the container's; nil where neither is told.
    static func availableMemory() -> Int? {
        func text(_ path: String) -> String? {
            (try? RegularFile.contents(of: path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
        }
        let machine = text("/proc/meminfo")?.firstMatch(of: /MemAvailable: +([0-9]+) kB/).flatMap { Int($0.1) }.map {
            $0 << 10
        }
        let place = text("/proc/self/cgroup")?.firstMatch(of: /(?m)^0::(\/.*)$/).map { String($0.1) } ?? "/"
        func group(_ name: String) -> Int? {
            text("/sys/fs/cgroup\(place)/memory.\(name)").flatMap {
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        let container = group("max").flatMap { limit in group("current").map { max(0, limit - $0) } }
        return [machine, container].compactMap { $0 }.min()
    }

    #if canImport(Glibc)
        private static let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let openFiles = RLIMIT_NOFILE
    #endif
}
