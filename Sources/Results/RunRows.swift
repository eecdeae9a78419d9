import Foundation
import Pipeline

/// What a run found, as the database keeps it.
public struct RunRows: Sendable {
    public var metrics: [Metric]
    /// Sets in which no image stands twice.
    public var predictions: [PredictionSet]
    /// How the metrics are set as tables.
    public var layouts: [TableLayout]
    /// Files beside the database.
    public var attachments: [StoredAttachment]

    public init(
        metrics: [Metric] = [], predictions: [PredictionSet] = [], layouts: [TableLayout] = [],
        attachments: [StoredAttachment] = []
    ) {
        (self.metrics, self.predictions, self.layouts, self.attachments) = (metrics, predictions, layouts, attachments)
    }

    var isEmpty: Bool { metrics.isEmpty && predictions.isEmpty && layouts.isEmpty && attachments.isEmpty }
}

/// A file that a run left beside the database.
public struct StoredAttachment: Hashable, Sendable {
    /// As the experiment calls it, such as `neurons.csv`.
    public let name: String
    /// Name of the file in the results folder.
    public let file: String
    /// SHA-256 of the file's bytes: a later run of another spec may have written another file under the name.
    public let sha256: String

    public init(name: String, file: String, sha256: String) {
        (self.name, self.file, self.sha256) = (name, file, sha256)
    }
}
