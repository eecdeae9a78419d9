import ArgumentParser
import Experiments
import Foundation
import Inputs
import Pipeline
import Slurm

/// What every command on specs takes.
struct SpecOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "An experiment, such as experiments/emoji/mean-ablation.yaml, or a folder of them; may be given several times.",
            valueName: "FILE"))
    var spec: [String]
    @Option(help: "Folder for results and cached artefacts.")
    var results = "results"
    @Option(help: "The list of models and data sets.")
    var manifest = "datasets.manifest"
    @Option(
        help: ArgumentHelp(
            "The folder that has a folder for each model and data set that others publish (default: data beside the manifest).",
            valueName: "DIR"))
    var data: String?
    @Option(help: ArgumentHelp("Use only N images of each set; every row is then marked partial.", valueName: "N"))
    var limit: Int?
    @Option(
        help: ArgumentHelp("Compute a step again, and what depends on it; 'all' for every step.", valueName: "STEP"))
    var force: [String] = []

    var resultsURL: URL { URL(fileURLWithPath: results, isDirectory: true) }

    func validate() throws {
        if let limit, limit < 2 { throw ValidationError("--limit has to be at least 2") }
    }

    var plannedForce: Plan.Force {
        force.isEmpty ? .nothing : force.contains("all") ? .everything : .steps(Set(force))
    }

    /// Reads every spec and plans its steps, in the order in which the papers tell them; computes nothing.
    /// - Returns: also where their inputs were opened.
    func experiments() throws -> (planned: [PlannedExperiment], context: ExperimentContext) {
        try experiments(SpecError.collected(files()) { file throws(SpecError) in try SpecDocument(contentsOf: file) })
    }

    /// The files of all specs.
    func files() throws -> [URL] { try spec.flatMap(files) }

    /// Plans the steps of specs, once the texts of all are without fault.
    func experiments(_ documents: [SpecDocument]) throws -> (planned: [PlannedExperiment], context: ExperimentContext) {
        let context = ExperimentContext(
            manifest: try DatasetsManifest(contentsOf: URL(fileURLWithPath: manifest)),
            data: data.map { URL(fileURLWithPath: $0, isDirectory: true) }, limit: limit,
            memory: ResultFiles.inputs(in: resultsURL), tell: { Console.tell($0 + "\n") })
        // Whatever the command is: a spec is checked, and tells what it reaches, as a whole.
        _ = try SpecError.collected(documents) { spec throws(SpecError) in
            try Registry.check(spec, context: context) { _ = SlurmSettings($0) }
        }
        let planned = try Registry.inOrder(documents).map { document in
            var graph = Graph()
            let experiment = try Registry.make(document, context: context, graph: &graph)
            return PlannedExperiment(
                spec: document, experiment: experiment, graph: graph,
                filesOutside: document.reach.files(outside: [document.folder] + context.ownFolders))
        }
        return (planned, context)
    }

    /// The file itself, or the specs of a folder.
    private func files(_ path: String) throws -> [URL] {
        let url = URL(fileURLWithPath: path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
            return [url]
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        let specs = names.filter { $0.hasSuffix(".yaml") }.sorted()
        guard !specs.isEmpty else {
            throw Failure(
                .inputMissing, "\(url.path): no specs (*.yaml) in this folder",
                fix: "name a spec, or a folder such as experiments/emoji")
        }
        return specs.map { url.appendingPathComponent($0) }
    }
}

/// An experiment whose steps are known.
struct PlannedExperiment {
    let spec: SpecDocument
    let experiment: any Experiment
    let graph: Graph
    /// Files that the spec names and that lie neither in its folder, nor in that of data, nor among the models beside the manifest.
    let filesOutside: [URL]

    var name: String { type(of: experiment).name }
}
