import Foundation
import Foundations
import Inputs
import Pipeline

/// Where an experiment finds its inputs, and how much of them it may use.
public struct ExperimentContext: Sendable {
    public let manifest: DatasetsManifest
    /// Use only the first images of each set; every number is then partial.
    public let limit: Int?
    /// Shared by the experiments of a run.
    let opened: OpenedInputs

    /// - Parameters:
    ///   - data: the folder with a folder for each model and data set that others publish; nil is `data/` beside
    ///     the manifest.
    ///   - memory: a folder for what is found out about inputs, so that it need not be found out again; nil keeps nothing.
    ///   - tell: gets lines for people while inputs are read.
    public init(
        manifest: DatasetsManifest, data: URL? = nil, limit: Int? = nil, memory: OutputFolder? = nil,
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.manifest = manifest
        self.limit = limit
        let data = data ?? manifest.url.deletingLastPathComponent().appendingPathComponent("data", isDirectory: true)
        opened = OpenedInputs(InputPlaces(manifest: manifest, data: data), memo: InputMemo(folder: memory), tell: tell)
    }

    /// The folders whose files no spec has to name as foreign: that of data, and that of models and words beside the manifest.
    public var ownFolders: [URL] {
        [opened.places.data, manifest.url.deletingLastPathComponent().appendingPathComponent("models")]
    }

    /// The papers whose numbers and claims are beside the manifest, in `experiments/papers`.
    /// - Throws: `SpecError`.
    public func papers() throws -> Papers { try opened.papers.value() }

    /// Writes into `memory` what was found out; not before, so that a spec that is refused leaves nothing behind.
    public func keepMemory() { opened.keepMemory() }
}

/// One claim of a paper: what it takes from a spec, which steps compute it, which numbers come out.
public protocol Experiment: Sendable {
    /// The name in a spec's `experiment:`.
    static var name: String { get }

    /// What the numbers were made from.
    var inputs: StudyInputs { get }

    /// Reads the finished steps.
    /// - Throws: `PipelineError`.
    func report(_ result: ExecutionResult) throws -> ExperimentReport
}

/// An experiment as the registry makes it.
protocol ExperimentDefinition: Experiment {
    associatedtype Spec: ExperimentSpec

    /// Opens what the spec names and adds the steps to the graph; computes nothing.
    /// - Throws: `SpecError`, `InputError`, `ExperimentError`, `PipelineError`.
    init(_ spec: Spec, context: ExperimentContext, graph: inout Graph) throws
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
