/// What can be wrong with the request for an export. Facts only; `runner` makes the words.
public enum ExportError: Error, Equatable, Sendable {
    /// A folder or archive without a picture, or with bad ones only.
    case noPictures(location: String, skipped: Int)
    /// Fewer pictures than what was asked for takes.
    case tooFewPictures(found: Int, needed: Int)
    /// Not one of the model's layers, or the last, whose neurons no later attention layer reads.
    case noSecondOrderEffects(layer: Int, layers: Int)
    /// The largest neuron that was asked for is beyond those that a layer has.
    case neuronOutOfRange(neuron: Int, neurons: Int)
    /// An index was asked for twice.
    case repeatedIndex(selection: String)
    /// The method's maps do not depend on texts, but there are some.
    case textsNotUsed(method: String)
    case textsMissing(method: String)
    /// The method compares a text with the mean of several, but there is only one.
    case contrastMissing(method: String)
}
