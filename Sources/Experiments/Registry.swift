import Pipeline

/// All experiments by name.
public enum Registry {
    private typealias Make = @Sendable (SpecDocument, ExperimentContext, inout Graph) throws -> any Experiment

    private static let experiments: [(name: String, make: Make)] = [
        (MeanAblationExperiment.name, { try MeanAblationExperiment($0, context: $1, graph: &$2) }),
        (SparseTextExperiment.name, { try SparseTextExperiment($0, context: $1, graph: &$2) }),
        (AdversarialSearchExperiment.name, { try AdversarialSearchExperiment($0, context: $1, graph: &$2) }),
        (SegmentationExperiment.name, { try SegmentationExperiment($0, context: $1, graph: &$2) }),
        (ConceptDiscoveryExperiment.name, { try ConceptDiscoveryExperiment($0, context: $1, graph: &$2) }),
        (FirstOrderExperiment.name, { try FirstOrderExperiment($0, context: $1, graph: &$2) }),
        (IndirectEffectExperiment.name, { try IndirectEffectExperiment($0, context: $1, graph: &$2) }),
        (ExplainabilityExperiment.name, { try ExplainabilityExperiment($0, context: $1, graph: &$2) }),
        (OpenVocabularyExperiment.name, { try OpenVocabularyExperiment($0, context: $1, graph: &$2) }),
        (MultiLabelExperiment.name, { try MultiLabelExperiment($0, context: $1, graph: &$2) }),
    ]

    /// The specs in the order in which the papers tell their experiments.
    /// - Throws: `SpecError`, also where a spec names no known experiment.
    public static func inOrder(_ specs: [SpecDocument]) throws -> [SpecDocument] {
        let names = experiments.map(\.name)
        return try specs.enumerated().map { position, spec in
            (try names.firstIndex(of: spec.name(under: "experiment", among: names)) ?? 0, position, spec)
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

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
