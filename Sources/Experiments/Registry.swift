import Pipeline

/// All experiments by name.
public enum Registry {
    private typealias Make = @Sendable (SpecDocument, ExperimentContext, inout Graph) throws -> any Experiment

    private static let experiments: [(name: String, make: Make)] = [
        (MeanAblationExperiment.name, { try MeanAblationExperiment($0, context: $1, graph: &$2) })
    ]

    public static var names: [String] { experiments.map(\.name) }

    /// Makes the experiment that a spec names and adds its steps to the graph.
    /// - Throws: as `Experiment.init`.
    public static func make(
        _ spec: SpecDocument, context: ExperimentContext, graph: inout Graph
    ) throws -> any Experiment {
        let name = try spec.text(under: "experiment")
        guard let entry = experiments.first(where: { $0.name == name }) else {
            throw ExperimentError.unknownExperiment(name: name, path: spec.path, known: names)
        }
        return try entry.make(spec, context, &graph)
    }
}
