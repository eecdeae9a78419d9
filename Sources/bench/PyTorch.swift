import Foundation

/// A benchmark's image tower in PyTorch, in a process of its own that runs one pass when it is asked to.
final class PyTorch {
    /// What the process says of itself.
    let description: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    /// Finds a Python that has torch: the one that `CLIP_LENS_PYTHON` names, or `python3`.
    /// - Returns: nil where there is none.
    init?(_ model: BenchmarkModel, precision: String, threads: Int) {
        let script = "scripts/bench_against_pytorch.py"
        guard FileManager.default.fileExists(atPath: script) else { return nil }
        let configuration = model.configuration
        let numbers = [
            ("tokens", configuration.tokens), ("width", configuration.width), ("layers", configuration.layers),
            ("heads", configuration.heads), ("patch", configuration.patchSize), ("batch", model.batch),
            ("threads", threads),
        ]
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [ProcessInfo.processInfo.environment["CLIP_LENS_PYTHON"] ?? "python3", script, "--precision", precision]
            + numbers.flatMap { ["--\($0.0)", "\($0.1)"] }
        (process.standardInput, process.standardOutput) = (input, output)
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil, let line = Self.line(output.fileHandleForReading) else { return nil }
        description = line
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Seconds of one pass.
    func pass() -> Double? {
        guard (try? input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))) != nil else { return nil }
        return Self.line(output.fileHandleForReading).flatMap(Double.init)
    }

    private static func line(_ handle: FileHandle) -> String? {
        var line = Data()
        while let byte = try? handle.read(upToCount: 1), let first = byte.first {
            if first == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(first)
        }
        return nil
    }
}
