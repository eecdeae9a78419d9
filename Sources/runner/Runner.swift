import ArgumentParser
import DenseMath
import Foundation

@main
struct Runner: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runner",
        abstract: "Reproduces what two papers found inside CLIP, on any CLIP and any data.",
        discussion: """
            `runner --spec X` is short for `runner run --spec X`. Results go to standard output; progress, \
            warnings and next steps go to standard error.

            Exit codes: 0 done, 1 something failed (compare: something differs), 2 compare: nothing comparable, \
            3 numbers exist but must not be trusted, 64 usage, also a spec that needs --allow-commands, \
            65 bad data, 66 input missing, 69 server unavailable, 70 internal error, 73 cannot write the output, 74 error while \
            saving, 75 another runner holds the results, 130/143 interrupted.
            """,
        version: "0.4",
        subcommands: [
            RunCommand.self, PlanCommand.self, ValidateCommand.self, StatusCommand.self, TaskCommand.self,
            CompareCommand.self,
            ClaimsCommand.self, TablesCommand.self,
            ReportCommand.self, WhyCommand.self, ExplainCommand.self, ExportCommand.self, SelfCheckCommand.self,
            FetchCommand.self,
            VerifyCommand.self, ScenesCommand.self, ManifestCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() {
        ProcessLimits.prepare()
        BLAS.useOneThread()
        var json = false
        do {
            var command = try parseAsRoot()
            json =
                (command as? RunCommand)?.json ?? (command as? VerifyCommand)?.json ?? (command as? StatusCommand)?.json
                ?? false
            try command.run()
        } catch let failure as Failure {
            failure.exit(json: json)
        } catch let code as ExitCode {
            Foundation.exit(code.rawValue)
        } catch let error where Failure.isUsage(error) {
            exit(withError: error)
        } catch {
            Failure(error).exit(json: json)
        }
    }
}
