import Experiments
import Foundation
import Foundations
import Pipeline
import Slurm

extension [FailedControl] {
    /// All in one sentence.
    var words: String { map(\.words).joined(separator: "; ") }
}

extension FailedControl {
    var words: String {
        switch self {
        case .accuracyBelowFloor(let accuracy, let floor):
            "zero-shot accuracy \(percent(accuracy)) is below the floor of \(percent(floor)): is this the right model for these labels?"
        case .shuffledLabelsAboveChance(let accuracy, let chance):
            "with shuffled labels accuracy is \(percent(accuracy)), chance is \(percent(chance))"
        case .randomNeuronsMatterMore(let layer, let excess):
            "layer \(layer): removing random neurons costs \(percent(excess)) more than removing the significant ones"
        case .identityViolated(let error, let tolerance):
            "a decomposition identity is violated by \(error), more than \(tolerance)"
        case .imagesInBothSets(let count, let first):
            "\(count) evaluation images stand in the fit set too, the first is \(first)"
        }
    }

    private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}

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
