import Pipeline

/// What a job is for: the shards of a step, or its end.
public enum JobRole: String, Sendable, CaseIterable {
    case shards, finish
}

/// A task of an array job, as `squeue` shows it. A hint: what was computed is only in the store.
public struct QueuedTask: Equatable, Sendable {
    /// Name of the job, one for all jobs of a step.
    public var name: String
    public var job: String
    /// Nil where Slurm does not say; all tasks of a job that waits may stand in one line.
    public var task: Int?
    public var state: String
    public var role: JobRole?
    /// Why it waits.
    public var reason: String

    /// Name, array job, index, state, comment, reason.
    static let format = "%j|%F|%K|%T|%k|%r"

    private static let endings: Set<String> = [
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
        "REVOKED", "TIMEOUT",
    ]

    /// Whether it waits or runs; a state that nobody knows counts as such.
    public var isAlive: Bool { !Self.endings.contains(state) }
    public var isRunning: Bool { isAlive && state != "PENDING" }

    /// Reads what `squeue` prints in its format; lines of another form are passed over.
    public static func list(_ text: String) -> [QueuedTask] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 6, !fields[1].isEmpty, fields[1].allSatisfy({ $0.isASCII && $0.isNumber }) else {
                return nil
            }
            return QueuedTask(
                name: fields[0], job: fields[1], task: Int(fields[2]), state: fields[3],
                role: JobRole(rawValue: fields[4]),
                reason: fields[5])
        }
    }
}

extension [QueuedTask] {
    /// Array jobs of a role, the oldest first.
    public func jobs(_ role: JobRole) -> [String] {
        Set(filter { $0.role == role }.map(\.job)).sorted { ($0.count, $0) < ($1.count, $1) }
    }

    /// Jobs that do what an older one does: a submitter was killed before it knew of its own job.
    public var surplus: [String] { JobRole.allCases.flatMap { jobs($0).dropFirst() } }

    /// Jobs that Slurm could not start and holds until somebody decides: after its controller's death it may try to
    /// start a second time what runs already, or has ended.
    public var stuck: [String] { Set(filter { $0.isAlive && $0.reason.contains("requeued held") }.map(\.job)).sorted() }

    /// `3 running, 5 waiting (Resources)`.
    public var words: String {
        let running = count(where: \.isRunning)
        let waiting = filter { $0.isAlive && !$0.isRunning }
        let reasons = Set(waiting.map(\.reason)).subtracting(["None", "Dependency", ""]).sorted().joined(
            separator: ", ")
        let parts = [
            running > 0 ? "\(running) running" : nil,
            waiting.isEmpty ? nil : "\(waiting.count) waiting" + (reasons.isEmpty ? "" : " (\(reasons))"),
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }
}
