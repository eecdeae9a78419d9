import Inputs
import Pipeline

/// Where an experiment finds its inputs, and how much of them it may use.
public struct ExperimentContext: Sendable {
    public let manifest: DatasetsManifest
    /// Use only the first images of each set; every number is then partial.
    public let limit: Int?
    /// Shared by the experiments of a run.
    let opened: OpenedInputs

    public init(manifest: DatasetsManifest, limit: Int? = nil) {
        self.manifest = manifest
        self.limit = limit
        opened = OpenedInputs(manifest)
    }
}

/// One claim of a paper: what it takes from a spec, which steps compute it, which numbers come out.
public protocol Experiment: Sendable {
    /// The name in a spec's `experiment:`.
    static var name: String { get }

    /// Reads the spec and adds the steps to the graph; computes nothing.
    /// - Throws: `SpecError`, `InputError`, `ExperimentError`, `PipelineError`.
    init(_ spec: SpecDocument, context: ExperimentContext, graph: inout Graph) throws

    /// Reads the finished steps.
    /// - Throws: `PipelineError`.
    func report(_ result: ExecutionResult) throws -> ExperimentReport
}

/// What an experiment found.
public struct ExperimentReport: Sendable {
    public var metrics: [Metric]
    public var predictions: [PredictionSet]
    public var tables: [TableLayout]
    /// Pictures and lists, each a file beside the rows.
    public var attachments: [Attachment]
    /// Why the numbers must not be trusted; empty if nothing speaks against them.
    public var failedControls: [FailedControl]

    public init(
        metrics: [Metric], predictions: [PredictionSet], tables: [TableLayout], attachments: [Attachment] = [],
        failedControls: [FailedControl]
    ) {
        self.metrics = metrics
        self.predictions = predictions
        self.tables = tables
        self.attachments = attachments
        self.failedControls = failedControls
    }
}
