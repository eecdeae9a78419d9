import Foundation
import Slurm

extension Failure {
    static func words(_ error: SlurmError) -> Failure {
        switch error {
        case .commandMissing(let command):
            Failure(
                .unavailable, "there is no command '\(command)'",
                fix: "run this on a node of the cluster that can submit jobs, or leave --executor slurm out")
        case .refused(let command, let output):
            Failure(
                .failed, "\(command): \(output.isEmpty ? "failed without a word" : output)",
                fix:
                    "change --slurm-partition, --slurm-time, --slurm-cpus, --slurm-memory or --slurm-option; with too many jobs, --shards-per-task"
            )
        case .unreachable(let command, let output, let seconds):
            Failure(
                .unavailable, "\(command): no answer for \(seconds) s: \(output)",
                fix:
                    "wait until `scontrol ping` finds the controller and run the same command again; jobs go on meanwhile"
            )
        case .unreadable(let command, let output):
            Failure(
                .unavailable, "\(command): cannot be understood: \(output.prefix(200))",
                fix: "check that the command is Slurm's (`\(command) --version`)")
        case .taskFailed(let failure, let log):
            Failure(
                Code(rawValue: failure.code) ?? .failed,
                "\(failure.message) (on \(failure.host)\(log.map { ", log \(URL(fileURLWithPath: $0).relativePath)" } ?? ""))",
                fix: failure.fix)
        case .tasksLost(let lost): words(lost)
        }
    }

    private static func words(_ lost: LostTasks) -> Failure {
        let what =
            switch lost.shards.count {
            case 0: "its end"
            case 1: "shard \(lost.shards[0])"
            default: "shards \(ArrayTasks.ranges(lost.shards))"
            }
        let state = lost.state.map { "; Slurm says \($0)" } ?? ""
        let log =
            lost.log.map { log in
                "\nlog:   \(URL(fileURLWithPath: log).relativePath)" + (lost.lastLines.isEmpty ? " is empty" : "")
                    + lost.lastLines.map { "\n       \($0)" }.joined()
            } ?? ""
        let fix =
            switch lost.state {
            case "TIMEOUT": "raise --slurm-time, or lower --shards-per-task or the spec's images-per-shard"
            case "OUT_OF_MEMORY": "raise --slurm-memory"
            default: "run the same command again, which keeps what is finished; --slurm-attempts allows more attempts"
            }
        return Failure(
            .failed,
            "step \(lost.step), \(what): no result after \(lost.attempts) attempt\(lost.attempts == 1 ? "" : "s")\(state)\(log)",
            fix: fix)
    }
}
