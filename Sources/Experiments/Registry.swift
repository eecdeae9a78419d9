import Pipeline

/// All experiments by name.
public enum Registry {
    /// In the order in which the papers tell them.
    static let experiments: [any ExperimentDefinition.Type] = [
        MeanAblationExperiment.self, SparseTextExperiment.self, AdversarialSearchExperiment.self,
        SegmentationExperiment.self,
        ConceptDiscoveryExperiment.self, FirstOrderExperiment.self, IndirectEffectExperiment.self,
        ExplainabilityExperiment.self, OpenVocabularyExperiment.self, MultiLabelExperiment.self,
    ]

    /// The specs in the order in which the papers tell their experiments.
    /// - Throws: `SpecError`, also where a spec names no known experiment.
    public static func inOrder(_ specs: [SpecDocument]) throws(SpecError) -> [SpecDocument] {
        let positions = try SpecError.collected(specs) { spec throws(SpecError) in try position(of: spec) }
        return specs.indices.sorted { (positions[$0], $0) < (positions[$1], $1) }.map { specs[$0] }
    }

    /// Reads a spec and opens nothing of what it names.
    /// - Parameter others: reads what the text has for others.
    /// - Throws: `SpecError` with all faults that its text shows.
    public static func check(
        _ spec: SpecDocument, context: ExperimentContext, others: (SpecReader) -> Void
    ) throws(SpecError) {
        func check<E: ExperimentDefinition>(_: E.Type) throws(SpecError) {
            try spec.read { reader in
                _ = E.Spec(reader, choices: SpecChoices(context))
                others(reader)
            }
        }
        try check(experiments[position(of: spec)])
    }

    /// Makes the experiment that a spec names and adds its steps to the graph.
    /// - Throws: as `ExperimentDefinition.init`.
    public static func make(
        _ spec: SpecDocument, context: ExperimentContext, graph: inout Graph
    ) throws -> any Experiment {
        func make<E: ExperimentDefinition>(_: E.Type, _ graph: inout Graph) throws -> any Experiment {
            try E(.resolved(spec, in: context), context: context, graph: &graph)
        }
        return try make(experiments[position(of: spec)], &graph)
    }

    private static func position(of spec: SpecDocument) throws(SpecError) -> Int {
        let names = experiments.map { $0.name }
        let name = try spec.name(under: "experiment", among: names)
        guard let position = names.firstIndex(of: name) else {
            preconditionFailure("the spec's reader lets only known experiments pass")
        }
        return position
    }
}
