import Foundation

extension ChildProcess {
    /// Starts a program, found as a shell finds it, in a process group of its own.
    /// - Parameters:
    ///   - environment: all of the child's variables.
    ///   - streams: the child's standard input, output and error.
    static func spawn(_ arguments: [String], _ environment: [String: String], _ streams: [Int32]) throws(StartFault)
        -> pid_t
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
        }
        // Files that are open here are none of the program's business: a lock would outlive its owner.
        let open =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.compactMap { Int32($0) } ?? []
        for number in open where number > 2 { posix_spawn_file_actions_addclose(&actions, number) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // What this process ignores would be ignored there too.
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGXFSZ] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)

        let words = arguments.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, words, variables)
        guard code == 0 else { throw StartFault(errno: code) }
        return pid
    }

    /// A file descriptor that closes itself.
    final class Descriptor {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }

    struct Pipe {
        let reading: Descriptor
        let writing: Descriptor

        init() throws(StartFault) {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw StartFault(errno: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            (reading, writing) = (Self.aboveStandardStreams(ends[0]), Self.aboveStandardStreams(ends[1]))
        }

        /// Where this process has no standard input, a pipe may get its number, and the child's would be overwritten.
        private static func aboveStandardStreams(_ number: Int32) -> Descriptor {
            guard number < 3 else { return Descriptor(number) }
            let moved = fcntl(number, F_DUPFD_CLOEXEC, 3)
            guard moved >= 0 else { return Descriptor(number) }
            close(number)
            return Descriptor(moved)
        }
    }
}
