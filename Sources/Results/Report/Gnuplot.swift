import Foundation

/// The program that draws the figures.
struct Gnuplot {
    private let executable: URL

    /// The one on the path.
    init?() {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let candidates = path.split(separator: ":").map {
            URL(fileURLWithPath: String($0)).appendingPathComponent("gnuplot")
        }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
            return nil
        }
        executable = found
    }

    /// A figure is drawn in a fraction of a second.
    private static let longest: TimeInterval = 20

    /// What a script writes to standard output; nil where it fails.
    func run(_ script: String) -> String? {
        // From a file: a pipe to a program that ends early would end this one, too.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "clip-lens-\(UUID().uuidString).gnuplot")
        defer { try? FileManager.default.removeItem(at: file) }
        guard (try? Data(script.utf8).write(to: file)) != nil, let input = try? FileHandle(forReadingFrom: file) else {
            return nil
        }
        let process = Process()
        process.executableURL = executable
        // No start-up file of the user's changes a figure.
        process.arguments = ["--default-settings", "-"]
        process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let watchdog = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.longest, execute: watchdog)
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        watchdog.cancel()
        return process.terminationReason == .exit && process.terminationStatus == 0
            ? String(decoding: data, as: UTF8.self) : nil
    }
}
