import DenseMath
import Foundation
import Pipeline
import Results

/// How long plans will take on this machine.
struct Estimate {
    let calibration: Calibration
    private let workers: Int
    let time: TimeEstimate

    /// Below a minute at this speed, which any machine reaches, nobody waits for an estimate.
    private static let slowest = 10e9

    /// Measures what is not known of the machine yet, which takes a few seconds, and keeps it beside the artefacts.
    /// - Returns: nil where too little is to do.
    /// - Throws: `PipelineError.interrupted`.
    init?(_ plans: [Plan], workers: Int, store: ArtefactStore, cancellation: Cancellation = Cancellation()) throws {
        guard plans.reduce(0, { $0 + $1.operationsLeft }) > 60 * Self.slowest else { return nil }
        let host = HostDescription.current()
        var calibration = store.calibration(
            of: .init(
                host: host.name, cpu: host.cpu, kernels: "\(BLAS.coreName), \(LinearLibrary.current.description)",
                workers: workers))
        let known = calibration
        try calibration.measure(plans.flatMap(\.workloads), cancellation: cancellation)
        // A folder that cannot be written, or is not there yet, is as good for a plan.
        if calibration != known { try? store.save(calibration) }
        self.calibration = calibration
        self.workers = workers
        time = TimeEstimate(plans, workers: workers, calibration)
    }

    /// `about 12 min`, for one step; nothing where nobody can tell.
    func words(_ entry: Plan.Entry) -> String {
        guard entry.status.isRun, let seconds = entry.seconds(workers: workers, calibration) else { return "" }
        return Self.words(seconds)
    }

    /// The time of all steps, those of several experiments once.
    var words: String {
        let unknown = time.unknownSteps
        return "about \(Self.words(time.seconds)) for \(workers) workers"
            + (unknown == 0 ? "" : ", without \(unknown) step\(unknown == 1 ? "" : "s") that nobody has timed yet")
    }

    /// `< 1 s`, `48 s`, `12 min`, `3.4 h`: no more digits than an estimate has.
    static func words(_ seconds: Double) -> String {
        switch seconds {
        case ..<1: "< 1 s"
        case ..<90: "\(Int(seconds.rounded())) s"
        case ..<5400: "\(Int((seconds / 60).rounded())) min"
        default: "\((seconds / 360).rounded() / 10) h"
        }
    }
}
