import Foundation
import Foundations

/// Speeds of a machine, measured there and kept beside the artefacts.
public struct Calibration: Codable, Equatable, Sendable {
    /// What the speeds depend on.
    public struct Machine: Codable, Equatable, Sendable {
        public var host: String
        public var cpu: String
        /// The kernels that matrix products run on.
        public var kernels: String
        /// Workers at work at once.
        public var workers: Int

        public init(host: String, cpu: String, kernels: String, workers: Int) {
            self.host = host
            self.cpu = cpu
            self.kernels = kernels
            self.workers = workers
        }
    }

    /// Operations a second of one worker.
    public struct Speed: Codable, Equatable, Sendable {
        /// That works alone.
        public var alone: Double
        /// While all of them work.
        public var together: Double

        public init(alone: Double, together: Double) {
            self.alone = alone
            self.together = together
        }
    }

    public let machine: Machine
    /// By the names of workloads.
    public private(set) var speeds: [String: Speed]

    public init(_ machine: Machine, speeds: [String: Speed] = [:]) {
        self.machine = machine
        self.speeds = speeds
    }

    /// Measures the workloads that it does not know.
    /// - Throws: `PipelineError.interrupted`.
    public mutating func measure(_ workloads: [any Workload], cancellation: Cancellation = Cancellation()) throws {
        for workload in workloads where speeds[workload.name] == nil {
            try cancellation.check()
            let alone = workload.measureSpeed(workers: 1)
            speeds[workload.name] = Speed(
                alone: alone, together: machine.workers > 1 ? workload.measureSpeed(workers: machine.workers) : alone)
        }
    }
}

extension ArtefactStore {
    private static let calibrationName = "calibration.json"

    /// The calibration of a machine, without speeds where there is none, or another machine's, or an unreadable one.
    public func calibration(of machine: Calibration.Machine) -> Calibration {
        guard let stored = try? readManifest(Calibration.self, at: cache.file(Self.calibrationName)),
            stored.machine == machine
        else {
            return Calibration(machine)
        }
        return stored
    }

    /// - Throws: `OutputError`.
    public func save(_ calibration: Calibration) throws {
        try cache.write(ArtefactJSON.encode(calibration), as: Self.calibrationName)
    }
}
