/// What went wrong between a run and a cluster, as facts.
public enum SlurmError: Error, Equatable, Sendable {
    /// One of Slurm's commands is not there.
    case commandMissing(String)
    /// A command was refused; `output` is what it said.
    case refused(command: String, output: String)
    /// The controller did not answer for so many seconds.
    case unreachable(command: String, output: String, seconds: Int)
    /// A command gave an answer that cannot be read.
    case unreadable(command: String, output: String)
    /// A task failed in a way that another attempt would repeat.
    case taskFailed(TaskFailure, log: String?)
    /// Tasks ended without a result and without saying why, as often as they may.
    case tasksLost(LostTasks)
}

/// Tasks that were killed, ran out of time or vanished.
public struct LostTasks: Equatable, Sendable {
    public var step: String
    /// Shards without a result; empty where only the step's end is missing.
    public var shards: [Int]
    public var attempts: Int
    /// What Slurm says of one of the tasks, such as `TIMEOUT`; nil where it says nothing.
    public var state: String?
    /// Log of one of the tasks, and its last lines; nil where there is none.
    public var log: String?
    public var lastLines: [String]
}
