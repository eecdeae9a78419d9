import Foundation
import Foundations
import Pipeline

/// The machine of a run.
public struct HostDescription: Equatable, Sendable {
    public var name: String
    /// The processor's model, as the kernel names it.
    public var cpu: String
    /// Cores that this process may use.
    public var cores: Int

    public init(name: String, cpu: String, cores: Int) {
        self.name = name
        self.cpu = cpu
        self.cores = cores
    }

    public static func current() -> HostDescription {
        let cpuinfo =
            (try? RegularFile.contents(of: "/proc/cpuinfo", limit: 1 << 22)).map { String(decoding: $0, as: UTF8.self) }
            ?? ""
        let model = cpuinfo.split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }
            .map { $0.trimmingCharacters(in: .whitespaces) }
        return HostDescription(
            name: ProcessIdentity.current.host, cpu: model ?? "unknown",
            cores: ProcessInfo.processInfo.activeProcessorCount)
    }
}
