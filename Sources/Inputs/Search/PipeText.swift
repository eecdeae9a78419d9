import Foundation

/// Writing to a pipe that nobody reads, without the signal that ends a process by default and without
/// changing what the rest of the process does with it.
enum BrokenPipe {
    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        var (signals, before) = (sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let count = Foundation.write(descriptor, bytes.baseAddress, bytes.count)
        let code = errno
        if count < 0, code == EPIPE {
            var none = timespec()
            sigtimedwait(&signals, nil, &none)
        }
        errno = code
        return count
    }
}

/// Complete lines out of blocks of bytes. Lines that are too long for an answer, and empty ones, are dropped.
struct LineBuffer {
    static let longestLine = 1 << 16

    /// The lines that wait, the next one last.
    private var complete: [Data] = []
    private var current = Data()

    mutating func append(_ block: Data) {
        var found: [Data] = []
        for (index, part) in block.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if index > 0 {
                if !current.isEmpty, current.count <= Self.longestLine { found.append(current) }
                current = Data()
            }
            current += part.prefix(Self.longestLine + 1 - current.count)
        }
        complete = found.reversed() + complete
    }

    mutating func next() -> Data? { complete.popLast() }
}
