/// What can go wrong in an experiment beyond its inputs. Facts only.
public enum ExperimentError: Error, Equatable, Sendable {
    /// The pictures are not of the size that the model takes, and no resizing was asked for.
    case imageSizeMismatch(dataset: String, found: Int, model: String, expected: Int)
    /// A representation came out as NaN or infinite.
    case notFinite(image: String, place: String)
    /// Fewer fit images than each neuron has to keep.
    case tooFewImages(split: String, found: Int, needed: Int)
    case poolNotRead(path: String, reason: String)
    case malformedPool(path: String, line: Int, reason: String)
    /// Fewer phrases of a search can be put into a picture than a description takes.
    case tooFewPhrases(pair: String, method: String, found: Int, needed: Int)
    /// Fewer phrases than atoms were asked for.
    case poolTooSmall(name: String, found: Int, needed: Int)
}
