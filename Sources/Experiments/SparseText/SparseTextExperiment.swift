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
    /// Of each pool a dictionary of random vectors.
    private let randomPools: [SparsePredictionsStep.Pool]
    private let predictions: StepHandle<ConditionPredictions>
    private let references: StepHandle<AblationPredictions>
    /// Of the pools, then of their controls.
    private let faithfulness: [StepHandle<Faithfulness>]
    private let similarities: StepHandle<PhraseSimilarities>
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
                name: pool.name, sizes: spec.sizes, pool: handle,
                texts: try SparseTextsStep.add(
                    study, pool: handle, named: pool.name, phrases: pool.phraseCount(in: study), directions: fitted.directions,
                    sizes: spec.sizes, in: &graph))
        }
        randomPools = try zip(spec.pools, pools).map { [study, spec] pool, handles in
            let (name, sizes) = (pool.randomName, [spec.sizes[spec.description.size]])
            let handle = try RandomPoolStep.add(handles.pool, named: name, seed: spec.study.seed, in: &graph)
            return .init(
                name: name, sizes: sizes, pool: handle,
                texts: try SparseTextsStep.add(
                    study, pool: handle, named: name, phrases: pool.phraseCount(in: study), directions: fitted.directions,
                    sizes: sizes, in: &graph))
        }
        predictions = try SparsePredictionsStep.add(
            study, images: evaluation, classifier: classifier, means: fitted.means, pools: pools + randomPools, in: &graph)
        references = try AblationStep.add(
            study.model, layers: study.layers, images: evaluation, classifier: classifier, means: fitted.means,
            directions: directions, indirectLayers: spec.study.indirectLayers, seed: spec.study.seed, in: &graph)
        let effects = try NeuronEffectsStep.add(study, images: heldOutImages, fitted: fitted, in: &graph)
        faithfulness = try (pools + randomPools).map { [study] pool in
            try FaithfulnessStep.add(
                study, effects: effects, directions: fitted.directions, texts: pool.texts, pool: pool.pool, named: pool.name,
                in: &graph)
        }
        let described = pools[spec.description.pool]
        similarities = try PhraseSimilarityStep.add(
            study, directions: directions, pool: described.pool, texts: described.texts, size: spec.description.size, in: &graph)
        cardPictures = try CardPicturesStep.add(study, fitted: fitted, in: &graph)
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = SparseTextMeasures(
            spec: spec, layers: study.layers, classNames: study.classes.names, isPartial: study.isPartial, heldOut: heldOut,
            labels: Array(try result.artefact(evaluation.facts).labels.prefix(evaluation.count)),
            directions: try result.artefact(directions), texts: try zip(pools + randomPools, faithfulness).map { pool, faithfulness in
                .init(
                    name: pool.name, pool: try result.artefact(pool.pool).pool, codes: try result.artefact(pool.texts),
                    faithfulness: try result.artefact(faithfulness), sizes: pool.sizes)
            }, predictions: try result.artefact(predictions), references: try result.artefact(references),
            similarities: try result.artefact(similarities), trust: try trust.findings(result))
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
