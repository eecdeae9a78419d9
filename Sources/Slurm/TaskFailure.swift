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
