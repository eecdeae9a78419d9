/// The program that writes an export.
public struct ProgramDescription: Sendable, Encodable {
    public var name: String
    public var version: String
    /// Of the repository that the program was built in; nil where there is none.
    public var commit: String?
    /// Whether that repository has changes beyond the commit.
    public var isDirty: Bool?

    public init(name: String, version: String, commit: String? = nil, isDirty: Bool? = nil) {
        (self.name, self.version, self.commit, self.isDirty) = (name, version, commit, isDirty)
    }
}
