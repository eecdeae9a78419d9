import Pipeline

/// All experiments by name.
public enum Registry {
    /// In the order in which the papers tell them.
    static let experiments: [any Experiment.Type] = [
        MeanAblationExperiment.self, SparseTextExperiment.self, AdversarialSearchExperiment.self,
        SegmentationExperiment.self,
        ConceptDiscoveryExperiment.self, FirstOrderExperiment.self, IndirectEffectExperiment.self,
        ExplainabilityExperiment.self, OpenVocabularyExperiment.self, MultiLabelExperiment.self,
    ]

    /// The specs in the order in which the papers tell their experiments.
    /// - Throws: `SpecError`, also where a spec names no known experiment.
    public static func inOrder(_ specs: [SpecDocument]) throws -> [SpecDocument] {
        let names = experiments.map { $0.name }
        return try specs.enumerated().map { position, spec in
            (try names.firstIndex(of: spec.name(under: "experiment", among: names)) ?? 0, position, spec)
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

    /// Makes the experiment that a spec names and adds its steps to the graph.
    /// - Throws: as `Experiment.init`.
    public static func make(
        _ spec: SpecDocument, context: ExperimentContext, graph: inout Graph
    ) throws -> any Experiment {
        let name = try spec.name(under: "experiment", among: experiments.map { $0.name })
        guard let experiment = experiments.first(where: { $0.name == name }) else {
            preconditionFailure("the spec's reader lets only known experiments pass")
        }
        return try experiment.init(spec, context: context, graph: &graph)
    }
}
