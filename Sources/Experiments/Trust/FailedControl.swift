/// Why the numbers of an experiment must not be trusted. Facts only; `runner` makes the words.
public enum FailedControl: Equatable, Sendable {
    /// The untouched model is worse than the spec demands: a wrong model, wrong labels or wrong pixels.
    case accuracyBelowFloor(accuracy: Double, floor: Double)
    /// Labels that were dealt out anew are predicted better than by chance.
    case shuffledLabelsAboveChance(accuracy: Double, chance: Double)
    /// Removing random neurons costs more accuracy than removing the significant ones.
    case randomNeuronsMatterMore(layer: Int, excess: Double)
    /// A decomposition identity does not hold; also where its error is not a number.
    case identityViolated(error: Double, tolerance: Double)
    /// The same pictures stand in the fit and in the evaluation set.
    case imagesInBothSets(count: Int, first: String)
}
