import Foundation
import Foundations
import Pipeline
import Slurm

extension SpecReach {
    /// What a spec needs a permission for, a clause each.
    /// - Parameter passesOptions: whether jobs are submitted.
    func deeds(passesOptions: Bool) -> [String] {
        let runs = programs.map { program in
            let variables = program.variables.isEmpty ? "" : ", which gets \(program.variables.joined(separator: ", "))"
            return "runs: \(program.command.map(\.quotedForShell).joined(separator: " ").visibleLine)\(variables)"
        }
        let sends = addresses.map { address in
            "sends texts to \(address.url.visibleLine)" + (address.keyVariable.map { ", with the key in \($0)" } ?? "")
        }
        let passes =
            passesOptions && !schedulerOptions.isEmpty
            ? ["passes to sbatch: \(schedulerOptions.joined(separator: " ").visibleLine)"] : []
        return runs + sends + passes
    }
}

extension PlannedExperiment {
    /// What the spec reads elsewhere, as a clause.
    var readsOutside: [String] {
        filesOutside.isEmpty
            ? [] : ["reads outside its folder: \(filesOutside.map(\.path.visibleLine).joined(separator: ", "))"]
    }

    /// What the spec does beyond computing, a line each; empty where it does nothing of the kind.
    var reachList: String {
        (spec.reach.deeds(passesOptions: true) + readsOutside).map { "  \($0)\n" }.joined()
    }
}
