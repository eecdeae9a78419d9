import ArgumentParser
import Foundation

/// An error in words: what is wrong and where, the command or edit that mends it, and the exit code.
struct Failure: Error {
    /// Exit codes after BSD's sysexits, as the help lists them.
    enum Code: Int32 {
        case failed = 1
        case untrusted = 3
        case usage = 64
        case badData = 65
        case inputMissing = 66
        case unavailable = 69
        case internalError = 70
        case cannotWrite = 73
        case saveFailed = 74
        case lockHeld = 75
        case interrupted = 130
        case terminated = 143
    }

    var code: Code
    var message: String
    var fix: String?
    /// What is wrong besides, found together with it.
    var others: [Failure] = []
    /// Whether the one document that `--json` promises has been printed already.
    var isDocumented = false

    init(_ code: Code, _ message: String, fix: String? = nil) {
        self.code = code
        self.message = message
        self.fix = fix
    }

    /// The words for any error of the project's modules.
    init(_ error: any Error) {
        self = Self.words(for: error)
    }

    /// Whether the argument parser made the error and knows its words.
    static func isUsage(_ error: any Error) -> Bool {
        let code = Runner.exitCode(for: error)
        return code == .validationFailure || code == .success
    }

    /// Prints the error and ends the program.
    /// - Parameter json: whether the caller asked for one JSON document on standard output.
    func exit(json: Bool = false) -> Never {
        tell(json: json)
        Foundation.exit(code.rawValue)
    }

    /// Prints the error, and the one document of a caller who asked for it.
    func tell(json: Bool) {
        if json, !isDocumented {
            let all = [self] + others
            let document = RunDocument(
                state: "failed", rows: [], claims: [], error: all.map(\.message).joined(separator: "\n"),
                fix: fix.map { _ in all.compactMap(\.fix).joined(separator: "\n") })
            // If even this cannot be printed, the exit code is all that is left.
            _ = try? Console.print(document.text())
        }
        tell()
    }

    /// Prints the error to standard error.
    func tell() {
        // A name with a line end in it begins no line of ours.
        func indented(_ text: String) -> String { text.replacing("\n", with: "\n       ") }
        var text = "error: \(indented(message))\n"
        if let fix { text += "fix:   \(indented(fix))\n" }
        Console.tell(text)
        for other in others { other.tell() }
    }
}
