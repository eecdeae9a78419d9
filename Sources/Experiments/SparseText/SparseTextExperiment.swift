import Pipeline

/// Figure 4 and the text tables (2 and 5) of arXiv 2406.04341: each neuron's direction written as a sum of a
/// few phrases, how much of the accuracy that keeps, and whether the phrases hold on other images.
struct SparseTextExperiment: Experiment {
    static let name = "sparse-text"

    let spec: SparseTextSpec
    private let study: Study
    private let evaluation: ImageSource
    private let heldOut: Int
    private let directions: StepHandle<FittedDirections>
    private let pools: [SparsePredictionsStep.Pool]
    private let predictions: StepHandle<ConditionPredictions>
    private let references: StepHandle<AblationPredictions>
    private let faithfulness: [StepHandle<Faithfulness>]
    private let cardPictures: StepHandle<CardPictures>
    private let trust: TrustChecks

    init(_ document: SpecDocument, context: ExperimentContext, graph: inout Graph) throws {
        spec = try SparseTextSpec(document, choices: .init(context), model: Study.facts(context))
        (study, evaluation) = try Study.evaluating(
            spec.evaluation, spec.study, isLabelled: true, context: context, graph: &graph)
        var heldOutImages = evaluation
        heldOutImages.count = min(spec.heldOutImages, evaluation.count)
        heldOut = heldOutImages.count

        let classifier = try study.classifier(in: &graph)
        let fitted = try study.fitted(in: &graph)
        directions = fitted.directions
        pools = try spec.pools.map { [study, spec] pool in
            let handle = try TextPoolStep.add(pool, needed: spec.sizes.last ?? 1, of: study, in: &graph)
            return .init(
                pool: handle,
                texts: try SparseTextsStep.add(
                    study, pool: handle, of: pool, directions: fitted.directions, sizes: spec.sizes, in: &graph))
        }
        predictions = try SparsePredictionsStep.add(
            study, images: evaluation, classifier: classifier, means: fitted.means, pools: pools, sizes: spec.sizes, in: &graph)
        references = try AblationStep.add(
            study.model, layers: study.layers, images: evaluation, classifier: classifier, means: fitted.means,
            directions: directions, indirectLayers: spec.study.indirectLayers, seed: spec.study.seed, in: &graph)
        let effects = try NeuronEffectsStep.add(study, images: heldOutImages, fitted: fitted, in: &graph)
        faithfulness = try zip(spec.pools, pools).map { [study] pool, handles in
            try FaithfulnessStep.add(
                study, effects: effects, directions: fitted.directions, texts: handles.texts, pool: handles.pool, named: pool.name,
                in: &graph)
        }
        cardPictures = try CardPicturesStep.add(study, fitted: fitted, in: &graph)
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = SparseTextMeasures(
            spec: spec, layers: study.layers, classNames: study.classes.names, isPartial: study.isPartial, heldOut: heldOut,
            labels: Array(try result.artefact(evaluation.facts).labels.prefix(evaluation.count)),
            directions: try result.artefact(directions), pools: try pools.map { try result.artefact($0.pool).pool },
            texts: try pools.map { try result.artefact($0.texts) }, predictions: try result.artefact(predictions),
            references: try result.artefact(references), faithfulness: try faithfulness.map { try result.artefact($0) },
            trust: try trust.findings(result))
        let neurons = NeuronDescriptions(measures)
        let tables = SparseTextTables(measures)
        let cards = NeuronCards(
            neurons, pictures: try result.artefact(cardPictures), settings: CardPicturesStep.settings(study), fit: study.fit.name,
            facts: try result.artefact(study.fit.facts))
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: (tables.layouts + [neurons.table]).marked(
                partial: study.isPartial, images: evaluation.count),
            attachments: [
                neurons.list, try Attachment(Attachment.figures, json: tables.figures),
                try Attachment("neurons-\(CardDeck.fileSuffix)", json: cards.deck),
            ], failedControls: measures.failedControls())
    }
}
