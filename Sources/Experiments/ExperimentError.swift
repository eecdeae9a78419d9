/// What can go wrong in an experiment beyond its inputs. Facts only.
public enum ExperimentError: Error, Equatable, Sendable {
    /// The pictures are not of the size that the model takes, and no resizing was asked for.
    case imageSizeMismatch(dataset: String, found: Int, model: String, expected: Int)
    /// What only the scenes of the embedded world can do.
    case onlyForScenes(feature: String)
    /// A picture without one class where accuracies are measured.
    case unlabelled(image: String)
    /// A list of names for a set with another number of classes.
    case classNames(dataset: String, found: Int, needed: Int)
    /// A data set without masks where maps are compared with them.
    case noMasks(dataset: String)
    /// A picture whose object cannot be told: its mask shows several classes or none.
    case noMainObject(image: String)
    /// A representation came out as NaN or infinite.
    case notFinite(image: String, place: String)
    /// The embedding of a text, or of a class by its name, came out as NaN or infinite.
    case textNotFinite(text: String)
    /// Fewer fit images than each neuron has to keep.
    case tooFewImages(split: String, found: Int, needed: Int)
    case poolNotRead(path: String, reason: String)
    case malformedPool(path: String, line: Int, reason: String)
    /// Fewer phrases of a search can be put into a picture than a description takes.
    case tooFewPhrases(pair: String, method: String, found: Int, needed: Int)
    /// Fewer phrases than atoms were asked for.
    case poolTooSmall(name: String, found: Int, needed: Int)
}
