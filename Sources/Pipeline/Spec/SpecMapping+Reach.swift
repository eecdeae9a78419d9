import Foundation

// Readers of what reaches beyond a spec's folder: the only ones that give a path, a command, an address or options of a
// scheduler. Each notes what it gives, so that nothing is started, sent, passed on or read that `SpecDocument.reach` lacks.

extension SpecMapping {
    /// A path; one that is not absolute begins at the spec's folder, or at `folder`.
    public func file(_ key: Key, in folder: URL? = nil) throws -> URL {
        let text = try string(key)
        guard !text.isEmpty, !text.utf8.contains(0) else { throw invalid(key, "this is no path") }
        let url = URL(fileURLWithPath: text, relativeTo: folder ?? document.folder).standardizedFileURL
        document.record.note(url, in: \.files)
        return url
    }

    /// A program with its arguments, and under another key the variables that it gets of the user's environment.
    public func program(_ key: Key, variables: Key) throws -> SpecReach.Program {
        let names = has(variables) ? try strings(variables) : []
        for name in names { try checkVariable(name, variables) }
        let command = try words(key)
        guard command.first?.isEmpty == false, !command.contains(where: { $0.utf8.contains(0) }) else {
            throw invalid(key, "the first word has to be a program, and no word may hold a zero byte")
        }
        let program = SpecReach.Program(command: command, variables: names)
        document.record.note(program, in: \.programs)
        return program
    }

    /// A server that texts are sent to, and under another key the variable that holds the key for it.
    public func address(_ key: Key, keyVariable: Key) throws -> SpecReach.Address {
        let variable = try optionalString(keyVariable)
        if let variable { try checkVariable(variable, keyVariable) }
        let address = SpecReach.Address(url: try string(key), keyVariable: variable)
        document.record.note(address, in: \.addresses)
        return address
    }

    /// Options that a scheduler gets as they are.
    /// - Parameter problem: why one may not be passed on; nil where it may.
    public func schedulerOptions(_ key: Key, problem: (String) -> String?) throws -> [String] {
        guard has(key) else { return [] }
        let options = try words(key)
        for option in options {
            if let reason = problem(option) { throw invalid(key, reason) }
            document.record.note(option, in: \.schedulerOptions)
        }
        return options
    }

    private func checkVariable(_ name: String, _ key: Key) throws {
        guard name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil else {
            throw invalid(key, "'\(name)' is no name of an environment variable")
        }
    }
}
