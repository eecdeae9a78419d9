import Foundation
import Foundations

/// A program in a process group of its own that is asked by lines on its standard input and answers by
/// lines on its standard output. Nothing here waits longer than it is told to.
///
/// Foundation's `Process` makes no process group, so that the children of a killed program would live on.
final class ChildProcess {
    /// Bytes that are kept of what the program writes to standard error.
    static let keptErrors = 2048
    /// The program is looked after this often while it says nothing.
    private static let heartbeat = 0.02
    /// A killed process may hang in a driver; then it is left to the system.
    private static let longestFarewell = 5.0
    private static let block = 1 << 16

    struct StartFault: Error {
        let errno: Int32
    }

    enum Outcome<Answer> {
        case answered(Answer)
        case timedOut
        case cancelled
        /// The program has ended, or will never answer, because ``ChildProcess/end(grace:)`` was called.
        case ended
    }

    private let pid: pid_t
    private var input: Descriptor?
    private var output: Descriptor?
    private var errors: Descriptor?
    private var lines = LineBuffer()
    private var errorTail = Data()
    private var status: Int32?

    /// Starts `arguments[0]`, found as a shell finds it, without a shell.
    /// - Parameter environment: all variables that the program gets.
    init(_ arguments: [String], environment: [String: String]) throws(StartFault) {
        let (toChild, fromChild, errorsOfChild) = (try Pipe(), try Pipe(), try Pipe())
        for mine in [toChild.writing, fromChild.reading, errorsOfChild.reading] {
            _ = fcntl(mine.number, F_SETFL, O_NONBLOCK)
        }
        let streams = [toChild.reading, fromChild.writing, errorsOfChild.writing]
        // The program's ends stay open until it has them.
        pid = try withExtendedLifetime(streams) { () throws(StartFault) in
            try Self.spawn(arguments, environment, streams.map(\.number))
        }
        (input, output, errors) = (toChild.writing, fromChild.reading, errorsOfChild.reading)
    }

    deinit { end() }

    /// The end of what the program wrote to standard error.
    var message: String {
        String(decoding: errorTail, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Whether the program is there no more. Its number stays its own until ``end(grace:)``.
    var hasEnded: Bool {
        guard status == nil else { return true }
        var info = siginfo_t()
        let result = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
        return result != 0 || info.si_signo == SIGCHLD
    }

    /// Writes `line` and waits for a line of which `answer` makes something; others are ignored.
    func ask<Answer>(
        _ line: Data, seconds: Double, isCancelled: () -> Bool, answer: (Data) -> Answer?
    ) -> Outcome<Answer> {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var pending = line[...]
        func answered() -> Answer? {
            while let line = lines.next() {
                if let found = answer(line) { return found }
            }
            return nil
        }
        while true {
            let ended = hasEnded
            if ended { drain() }
            if let found = answered() { return .answered(found) }
            if ended { return .ended }
            if isCancelled() { return .cancelled }
            let left = deadline - .now
            guard left > .zero else { return .timedOut }
            wait(seconds: min(left.seconds, Self.heartbeat), isWriting: !pending.isEmpty)
            write(&pending)
            read()
        }
    }

    /// Closes the program's input, gives it `grace` seconds to end, then kills its group, waits for it
    /// and closes everything.
    /// - Returns: the exit status, or the negative number of the signal that ended it.
    @discardableResult
    func end(grace: Double = 0) -> Int32 {
        if let status { return status }
        input = nil
        let deadline = ContinuousClock.now + .seconds(grace)
        while !hasEnded, ContinuousClock.now < deadline {
            wait(seconds: Self.heartbeat, isWriting: false)
            read()
        }
        // Before the program's number is given up: afterwards the group could be somebody else's.
        kill(-pid, SIGKILL)
        let found = reap()
        drain()
        (output, errors) = (nil, nil)
        status = found
        return found
    }

    private func reap() -> Int32 {
        var status: Int32 = 0
        let deadline = ContinuousClock.now + .seconds(Self.longestFarewell)
        while waitpid(pid, &status, WNOHANG) == 0 {
            guard ContinuousClock.now < deadline else { return -SIGKILL }
            usleep(2000)
        }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : -signal
    }
}

// MARK: Reading and writing

extension ChildProcess {
    /// Until something can be read or written, or `seconds` are over.
    private func wait(seconds: Double, isWriting: Bool) {
        var waited = [output, errors].compactMap { $0 }.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
        if isWriting, let input { waited.append(pollfd(fd: input.number, events: Int16(POLLOUT), revents: 0)) }
        poll(&waited, nfds_t(waited.count), Int32((seconds * 1000).rounded(.up)))
    }

    private func write(_ pending: inout Data.SubSequence) {
        guard let input, !pending.isEmpty else { return }
        let count = pending.withUnsafeBytes { BrokenPipe.write(input.number, $0) }
        if count > 0 {
            pending = pending.dropFirst(count)
        } else if count < 0, errno != EAGAIN, errno != EINTR {
            // The program reads no more; it may have written its answer all the same.
            self.input = nil
            pending = Data()
        }
    }

    /// Reads what is there, at most one block of each.
    private func read() {
        if let block = Self.block(from: &output) { lines.append(block) }
        if let block = Self.block(from: &errors) { errorTail = Data((errorTail + block).suffix(Self.keptErrors)) }
    }

    /// Reads what a program left behind, within bounds: a stranger may hold the other end and go on writing.
    private func drain() {
        for _ in 0..<64 { read() }
    }

    /// - Returns: nil when there is nothing; `descriptor` becomes nil when there will be nothing more.
    private static func block(from descriptor: inout Descriptor?) -> Data? {
        guard let number = descriptor?.number else { return nil }
        var bytes = [UInt8](repeating: 0, count: block)
        let count = Foundation.read(number, &bytes, bytes.count)
        if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { descriptor = nil }
        return count > 0 ? Data(bytes.prefix(count)) : nil
    }
}

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
