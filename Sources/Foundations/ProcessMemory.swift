import Foundation

/// Memory of this process, as the kernel counts it.
public enum ProcessMemory {
    /// The most that was resident since the last ``resetPeak()`` that said that it worked, in bytes; nil where the kernel does
    /// not tell.
    public static var peak: Int? {
        guard let status = try? RegularFile.contents(of: "/proc/self/status", limit: 1 << 16) else { return nil }
        return String(decoding: status, as: UTF8.self).firstMatch(of: /VmHWM:\s+([0-9]+) kB/).flatMap { Int($0.1) }.map
        {
            $0 << 10
        }
    }

    /// Has the peak begin anew with what is resident now.
    /// - Returns: whether it did.
    public static func resetPeak() -> Bool {
        let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return write(file, "5", 1) == 1
    }

    /// Gives memory that was freed back to the system: what one step has used stands in the way of the next.
    public static func release() { _ = trim?(0) }

    /// glibc's `malloc_trim`, which Swift does not import; nil in another C library.
    private static let trim = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self)
    }
}
