/// What can go wrong in an experiment beyond its inputs. Facts only.
public enum ExperimentError: Error, Equatable, Sendable {
    case unknownExperiment(name: String, path: String, known: [String])
    /// The pictures are not of the size that the model takes, and no resizing was asked for.
    case imageSizeMismatch(dataset: String, found: Int, model: String, expected: Int)
    /// A representation came out as NaN or infinite.
    case notFinite(dataset: String, split: String, image: Int)
    /// Fewer fit images than each neuron has to keep.
    case tooFewImages(split: String, found: Int, needed: Int)
}
