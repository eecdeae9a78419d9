import Foundation
import Foundations
import Pipeline

/// What is known of a run when it starts.
public struct RunDescription: Equatable, Sendable {
    public var experiment: String
    public var specPath: String
    public var specText: String
    /// SHA-256 of the text.
    public var specDigest: String
    /// Commit of the program, nil outside a repository, and whether files differ from it.
    public var commit: String?
    public var isDirty: Bool
    public var host: HostDescription
    /// Which kernels BLAS chose, such as `SkylakeX`, and its threads in one worker.
    public var blasCore: String
    public var blasThreads: Int
    /// Versions of what numbers may depend on, by name.
    public var versions: [String: String]
    /// Whether only a part of the data is measured.
    public var isPartial: Bool

    public init(
        experiment: String, spec: SpecDocument, commit: String?, isDirty: Bool,
        host: HostDescription = .current(), blasCore: String, blasThreads: Int,
        versions: [String: String], isPartial: Bool
    ) {
        self.experiment = experiment
        specPath = spec.path
        specText = spec.text
        specDigest = spec.digest
        self.commit = commit
        self.isDirty = isDirty
        self.host = host
        self.blasCore = blasCore
        self.blasThreads = blasThreads
        self.versions = versions
        self.isPartial = isPartial
    }
}

/// How a run ended.
public enum RunEnding: String, Sendable, CaseIterable {
    case done, failed, interrupted
    /// There are numbers, but a control failed.
    case untrusted
}

/// How a run stands, for a reader.
public enum RunState: Equatable, Sendable {
    case running
    /// It never ended, and its process is gone.
    case abandoned
    case ended(RunEnding)
}

/// A run that was begun and is to be ended.
public struct ActiveRun: Sendable {
    public let id: Int64
    let start: ContinuousClock.Instant
}

/// A run as the database has it.
public struct StoredRun: Equatable, Sendable {
    public let id: Int64
    public let experiment: String
    public let specPath: String
    public let specText: String
    public let specDigest: String
    public let commit: String?
    public let isDirty: Bool
    public let host: HostDescription
    public let blasCore: String
    public let blasThreads: Int
    public let versions: [String: String]
    public let isPartial: Bool
    public let process: ProcessIdentity
    /// UTC, ISO 8601.
    public let startedAt: String
    public let endedAt: String?
    /// Duration, by a clock that only runs forward.
    public let seconds: Double?
    public let state: RunState
    public let message: String?
    /// The run that holds this run's metrics and predictions: itself, or an earlier run that gave
    /// exactly the same; nil for one that gave none.
    public let rowsRun: Int64?

    /// Whether every metric and prediction is exactly that of an earlier run.
    public var repeatsRows: Bool { rowsRun.map { $0 != id } ?? false }
}

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
