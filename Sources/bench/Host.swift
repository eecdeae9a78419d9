import DenseMath
import Foundation

/// The machine, and this process's memory, as Linux tells them.
enum Host {
    static var description: String {
        """
        CPU    \(cpu), \(ProcessInfo.processInfo.activeProcessorCount) cores
        LINEAR \(LinearLibrary.current.description)
        BLAS   core \(BLAS.coreName), \(BLAS.threads) thread a call
               \(BLAS.description)
        """
    }

    private static var cpu: String { field("model name", of: "/proc/cpuinfo") ?? "unknown" }

    /// The largest resident memory since the last reset, in bytes.
    static var peakMemory: Int? {
        let kibibytes = field("VmHWM", of: "/proc/self/status")?.split(separator: " ").first
        return kibibytes.flatMap { Int($0) }.map { $0 << 10 }
    }

    /// Makes the peak start again from what is resident now, where the kernel allows it.
    static func resetPeakMemory() {
        let control = FileHandle(forWritingAtPath: "/proc/self/clear_refs")
        try? control?.write(contentsOf: Data("5".utf8))
    }

    /// The value of the first line `name: value`.
    private static func field(_ name: String, of path: String) -> String? {
        // A file of /proc has no size, so it is read to its end through a handle.
        guard let data = try? FileHandle(forReadingAtPath: path)?.readToEnd() else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").lazy
            .map { $0.split(separator: ":", maxSplits: 1) }
            .first { $0.count == 2 && $0[0].trimmingCharacters(in: .whitespaces) == name }
            .map { $0[1].trimmingCharacters(in: .whitespaces) }
    }
}
