import Pipeline

/// All experiments by name.
public enum Registry {
    private typealias Make = @Sendable (SpecDocument, ExperimentContext, inout Graph) throws -> any Experiment

    private static let experiments: [(name: String, make: Make)] = [
        (MeanAblationExperiment.name, { try MeanAblationExperiment($0, context: $1, graph: &$2) })
    ]

    /// Makes the experiment that a spec names and adds its steps to the graph.
    /// - Throws: as `Experiment.init`.
    public static func make(
        _ spec: SpecDocument, context: ExperimentContext, graph: inout Graph
    ) throws -> any Experiment {
        let name = try spec.name(under: "experiment", among: experiments.map(\.name))
        guard let entry = experiments.first(where: { $0.name == name }) else {
            preconditionFailure("the spec's reader lets only known experiments pass")
        }
        return try entry.make(spec, context, &graph)
    }
}
