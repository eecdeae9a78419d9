import Pipeline

/// With what the tasks of a run are submitted: from a spec's `slurm:`, or the command line, which goes first.
///
/// ```yaml
/// slurm:
///   partition: main
///   time: "2:00:00"
///   cpus: 4                        # of a task, which then has as many workers
///   memory: 8G                     # of a task; left out: what the step states
///   shards-per-task: 4             # left out: as many as cpus
///   attempts: 3
///   options: [--constraint=amd, --account=lens]
/// ```
public struct SlurmSettings: Equatable, Sendable {
    public var partition: String?
    public var time: String?
    public var cpus: Int?
    public var memory: String?
    public var shardsPerTask: Int?
    /// How often the tasks of a step are submitted before the run gives up.
    public var attempts: Int?
    /// Further options of `sbatch`, of those that ``problem(option:)`` lets pass.
    public var options: [String] = []

    private enum Key: String, CaseIterable {
        case partition, time, cpus, memory, attempts, options
        case shardsPerTask = "shards-per-task"
    }

    public init() {}

    /// - Throws: `SpecError`.
    public init(_ document: SpecDocument) throws(SpecError) { self = try document.read(Self.init) }

    /// Faults are noted in the reader.
    public init(_ reader: SpecReader) {
        guard let spec = reader.site(keys: Key.self) else { return }
        func text(_ key: Key, _ problem: (String) -> String?) -> String? {
            guard let value = spec.optionalString(key) else { return nil }
            let reason = problem(value)
            spec.check(key, holds: reason == nil, reason ?? "")
            return value
        }
        partition = text(.partition, Self.problem(partition:))
        time = text(.time, Self.problem(time:))
        memory = text(.memory, Self.problem(memory:))
        cpus = spec.optionalInteger(.cpus, in: 1...1024)
        shardsPerTask = spec.optionalInteger(.shardsPerTask, in: 1...1_000_000)
        attempts = spec.optionalInteger(.attempts, in: 1...100)
        options = spec.schedulerOptions(.options, problem: Self.problem(option:))
    }

    /// These, and those of `other` where these have none; options of both.
    public func over(_ other: SlurmSettings) -> SlurmSettings {
        var all = self
        all.partition = partition ?? other.partition
        all.time = time ?? other.time
        all.cpus = cpus ?? other.cpus
        all.memory = memory ?? other.memory
        all.shardsPerTask = shardsPerTask ?? other.shardsPerTask
        all.attempts = attempts ?? other.attempts
        // Slurm takes the last of two that contradict each other.
        all.options = other.options + options
        return all
    }

    // MARK: Checks, before anything is submitted

    /// Why a value will not do; nil where it will.
    public static func problem(partition: String) -> String? {
        partition.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.,\-]*/) == nil
            ? "'\(partition)' is no name of a partition" : nil
    }

    public static func problem(time: String) -> String? {
        time.wholeMatch(of: /([0-9]+-)?[0-9]+(:[0-9]+){0,2}/) == nil
            ? "'\(time)' is no time; Slurm reads minutes, hours:minutes:seconds or days-hours" : nil
    }

    public static func problem(memory: String) -> String? {
        memory.wholeMatch(of: /[1-9][0-9]*[KMGT]?/) == nil ? "'\(memory)' is no size; write 800M or 4G" : nil
    }

    /// Options that say what a job may use, of whose account, and when. Others run programs, write files, choose the job's
    /// environment or shape, or have keys of their own; `sbatch` takes an unambiguous beginning of an option for the option, so
    /// that only whole names of these can be told from what is not to be passed.
    private static let valued = [
        "account", "begin", "constraint", "cores-per-socket", "cpus-per-gpu", "deadline", "exclude", "exclusive",
        "gpus",
        "gpus-per-node", "gpus-per-task", "gres", "gres-flags", "hint", "licenses", "mail-type", "mail-user",
        "mem-per-gpu",
        "mincpus", "nice", "nodelist", "prefer", "priority", "qos", "reservation", "sockets-per-node", "switches",
        "threads-per-core", "tmp", "wckey",
    ]
    /// Those that need no value. The others would take the runner's next option for theirs.
    private static let bare = ["contiguous", "exclusive", "nice", "no-requeue", "oversubscribe", "requeue"]

    public static func problem(option: String) -> String? {
        guard let match = option.wholeMatch(of: /--([a-z0-9\-]+)(=.+)?/) else {
            return "'\(option)' is no long option of sbatch with its value; write --name=value"
        }
        let (name, hasValue) = (String(match.1), match.2 != nil)
        if (hasValue ? valued : bare).contains(name) { return nil }
        if valued.contains(name) { return "--\(name) needs a value; write --\(name)=value" }
        if bare.contains(name) { return "--\(name) takes no value" }
        let known = Set(valued + bare).sorted()
        return "--\(name) is not passed to sbatch; "
            + (nearestName(to: name, among: known).map { "did you mean --\($0)? " } ?? "")
            + "what may be passed: \(known.joined(separator: ", "))"
    }
}
