/// How the shards of a step are dealt to the tasks of an array job: task k has the shards from k · n to k · n + n − 1.
public struct ArrayTasks: Equatable, Sendable {
    /// n.
    public let shardsPerTask: Int
    /// Indices of the tasks that have something to do, in order.
    public let tasks: [Int]

    /// - Parameters:
    ///   - pending: shards to compute.
    ///   - shards: all of the step.
    ///   - wanted: shards a task.
    ///   - limit: MaxArraySize, which the index of a task has to stay below; more shards a task are taken to keep it.
    public init(pending: [Int], of shards: Int, wanted: Int, limit: Int) {
        let needed = (shards + max(1, limit) - 1) / max(1, limit)
        let perTask = max(1, wanted, needed)
        shardsPerTask = perTask
        tasks = Set(pending.map { $0 / perTask }).sorted()
    }

    /// The tasks as `--array` takes them: `0-3,7`.
    public var ranges: String { Self.ranges(tasks) }

    /// Numbers in order, runs of them as ranges.
    public static func ranges(_ numbers: [Int]) -> String {
        var runs: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound + 1 == number {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(
            separator: ",")
    }
}

/// What a task that failed for good leaves for its submitter, in words.
public struct TaskFailure: Codable, Equatable, Sendable {
    /// The exit code that a run on one machine would have had.
    public var code: Int32
    public var message: String
    public var fix: String?
    public var host: String

    public init(code: Int32, message: String, fix: String?, host: String) {
        self.code = code
        self.message = message
        self.fix = fix
        self.host = host
    }
}

extension String {
    /// As one word of a POSIX shell; as it is where nothing in it means anything to one.
    public var quotedForShell: String {
        let plain = unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (Character(scalar).isLetter || Character(scalar).isNumber
                    || "-_./=:,@%+".unicodeScalars.contains(scalar))
        }
        // By scalars: an apostrophe before a combining mark is no apostrophe to Swift, but one to a shell.
        return plain && !isEmpty ? self : "'" + unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
    }
}
