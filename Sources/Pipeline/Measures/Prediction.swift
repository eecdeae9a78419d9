import Foundation

/// What a model said about one image.
public struct Prediction: Hashable, Sendable, Codable {
    /// Data set, split and index, or a path: the same in every run.
    public var imageID: String
    public var label: String
    public var prediction: String
    /// Score of the prediction less that of the best other class; nil where it is not finite.
    public var margin: Double?

    public init(imageID: String, label: String, prediction: String, margin: Double?) {
        self.imageID = imageID
        self.label = label
        self.prediction = prediction
        self.margin = margin.flatMap { $0.isFinite ? $0 : nil }
    }
}

/// The predictions of an experiment under one condition, an image once.
public struct PredictionSet: Hashable, Sendable, Codable {
    public var experiment: String
    /// The columns that the metrics made from these predictions have.
    public var condition: Subject
    public var predictions: [Prediction]

    public init(experiment: String, condition: Subject, predictions: [Prediction]) {
        self.experiment = experiment
        self.condition = condition
        self.predictions = predictions
    }
}

/// The difference of two numbers of the same images.
public struct PairedDifference: Equatable, Sendable {
    public let value: Double
    /// Standard deviation of the difference over samples of the images.
    public let standardError: Double
    public let interval: Metric.Interval

    /// The probability of a difference as large, either way, if there is none: by the normal distribution, because
    /// the share of replicates beyond zero cannot tell probabilities below one in their number.
    public var probability: Double {
        guard value != 0 else { return 1 }
        return standardError > 0 ? erfc(abs(value) / standardError / 2.0.squareRoot()) : 0
    }
}
