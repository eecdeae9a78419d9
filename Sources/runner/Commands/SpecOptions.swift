import ArgumentParser
import Experiments
import Foundation
import Inputs
import Pipeline

/// What every command on a spec takes.
struct SpecOptions: ParsableArguments {
    @Option(help: "The experiment, such as experiments/emoji/mean-ablation.yaml.")
    var spec: String
    @Option(help: "Folder for results and cached artefacts.")
    var results = "results"
    @Option(help: "The list of models and data sets.")
    var manifest = "datasets.manifest"
    @Option(help: ArgumentHelp("Use only the first N images of each set; every row is then marked partial.", valueName: "N"))
    var limit: Int?
    @Option(help: ArgumentHelp("Compute a step again, and what depends on it; 'all' for every step.", valueName: "STEP"))
    var force: [String] = []

    var resultsURL: URL { URL(fileURLWithPath: results, isDirectory: true) }

    func validate() throws {
        if let limit, limit < 2 { throw ValidationError("--limit has to be at least 2") }
    }

    var plannedForce: Plan.Force {
        force.isEmpty ? .nothing : force.contains("all") ? .everything : .steps(Set(force))
    }

    /// Reads the spec and plans its steps; computes nothing.
    func experiment() throws -> (spec: SpecDocument, experiment: any Experiment, graph: Graph) {
        let document = try SpecDocument(contentsOf: URL(fileURLWithPath: spec))
        let context = ExperimentContext(
            manifest: try DatasetsManifest(contentsOf: URL(fileURLWithPath: manifest)), limit: limit)
        var graph = Graph()
        let experiment = try Registry.make(document, context: context, graph: &graph)
        return (document, experiment, graph)
    }
}
