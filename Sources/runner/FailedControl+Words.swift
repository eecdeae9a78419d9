import Experiments

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
