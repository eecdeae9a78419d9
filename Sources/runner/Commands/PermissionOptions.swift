import ArgumentParser
import Foundation
import Pipeline

/// The leave that a spec needs to do more than compute: `run` and its tasks ask for it, before anything is started or sent.
struct PermissionOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Let specs start programs, send texts and pass options to Slurm, as `runner plan` shows them; docs/running.md says more."
        ))
    var allowCommands = false

    /// - Parameter passesOptions: whether the run submits jobs with the options of specs.
    /// - Throws: ``Failure`` for specs that are not allowed what they ask for, and for a file of permissions that may not be
    ///   the user's.
    func check(_ experiments: [PlannedExperiment], passesOptions: Bool) throws {
        let asking = experiments.filter { !$0.spec.reach.deeds(passesOptions: passesOptions).isEmpty }
        guard !allowCommands, !asking.isEmpty else { return }
        let allowed = try AllowedSpecs(contentsOf: AllowedSpecs.file)
        let refused = asking.filter { !allowed.contains($0.spec.path) }
        guard let first = refused.first else { return }
        let words = refused.map {
            "not allowed: \($0.spec.path) \($0.spec.reach.deeds(passesOptions: passesOptions).joined(separator: "; "))"
        }
        throw Failure(
            .usage, words.joined(separator: "\n"),
            fix:
                "if you trust it, add --allow-commands, or for good the line \(URL(fileURLWithPath: first.spec.path).standardizedFileURL.path) to \(AllowedSpecs.file.path)"
        )
    }

    /// Tells what specs do beyond computing, a line each; what a file of the user's allows for good is not told again.
    func announce(_ experiments: [PlannedExperiment], passesOptions: Bool) {
        for experiment in experiments {
            let deeds = allowCommands ? experiment.spec.reach.deeds(passesOptions: passesOptions) : []
            let words = deeds + experiment.readsOutside
            if !words.isEmpty { Console.tell("\(experiment.spec.path) \(words.joined(separator: "; "))\n") }
        }
    }
}
