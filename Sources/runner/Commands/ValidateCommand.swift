import ArgumentParser
import Foundation
import Pipeline

/// `runner validate --spec X`: whether specs can run, without computing anything.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check specs and their inputs: keys, values, models, data sets, texts; computes nothing.",
        discussion:
            "Shows what a spec would run, send, pass to Slurm and read elsewhere. Every spec is checked, also after one that cannot run; the exit code is that of the first error."
    )

    @OptionGroup var options: SpecOptions

    func run() throws {
        var first: Failure?
        for file in try options.files() {
            do {
                let document = try SpecDocument(contentsOf: file)
                let planned = try options.experiments([document]).planned
                for experiment in planned {
                    try Console.print(
                        "\(experiment.spec.path): \(experiment.name), \(experiment.graph.count) steps\n"
                            + experiment.reachList)
                    for warning in experiment.experiment.inputs.warnings {
                        Console.tell("warning: \(experiment.spec.path): \(warning)\n")
                    }
                }
            } catch {
                let failure = Failure(error)
                failure.tell()
                first = first ?? failure
            }
        }
        // Its words are said already.
        if let first { throw ExitCode(first.code.rawValue) }
    }
}
