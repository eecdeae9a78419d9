import Pipeline

/// Figure 4 and the text tables (2 and 5) of arXiv 2406.04341: each neuron's direction written as a sum of a
/// few phrases, how much of the accuracy that keeps, and whether the phrases hold on other images.
struct SparseTextExperiment: ExperimentDefinition {
    static let name = "sparse-text"

    let spec: SparseTextSpec
    private let study: Study
    private let evaluation: ImageSource
    private let heldOut: Int
    private let directions: StepHandle<FittedDirections>
    private let pools: [SparsePredictionsStep.Pool]
    /// For each pool, a dictionary of random vectors that takes its place.
    private let randomPools: [SparsePredictionsStep.Pool]
    private let predictions: StepHandle<ConditionPredictions>
    private let references: StepHandle<AblationPredictions>
    /// Faithfulness of descriptions by the pools, then by the random dictionaries in their place.
    private let faithfulness: [StepHandle<Faithfulness>]
    private let similarities: StepHandle<PhraseSimilarities>
    private let cardPictures: StepHandle<CardPictures>
    private let trust: TrustChecks

    init(_ spec: SparseTextSpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        (study, evaluation) = try Study.evaluating(
            spec.evaluation, spec.study, isLabelled: true, context: context, graph: &graph)
        var heldOutImages = evaluation
        heldOutImages.count = min(spec.heldOutImages, evaluation.count)
        heldOut = heldOutImages.count

        let classifier = try study.classifier(in: &graph)
        let fitted = try study.fitted(in: &graph)
        directions = fitted.directions
        let (study, spec) = (self.study, self.spec)
        func described(
            _ name: String, _ pool: StepHandle<StoredTextPool>, phrases: Int, sizes: [Int], _ graph: inout Graph
        ) throws -> SparsePredictionsStep.Pool {
            let texts = try graph.add(
                SparseTextsStep(
                    model: study.model, layers: study.layers, pool: pool, name: name, phrases: phrases,
                    directions: fitted.directions, sizes: sizes))
            return .init(name: name, sizes: sizes, pool: pool, texts: texts)
        }
        pools = try spec.pools.map { pool in
            let handle = try graph.add(TextPoolStep(study, pool, needed: spec.sizes.last ?? 1))
            return try described(pool.name, handle, phrases: pool.phraseCount(in: study), sizes: spec.sizes, &graph)
        }
        randomPools = try zip(spec.pools, pools).map { pool, own in
            let handle = try graph.add(RandomPoolStep(pool: own.pool, name: pool.randomName, seed: spec.study.seed))
            return try described(
                pool.randomName, handle, phrases: pool.phraseCount(in: study),
                sizes: [spec.sizes[spec.description.size]], &graph)
        }
        predictions = try graph.add(
            SparsePredictionsStep(
                study.model, layers: study.layers, images: evaluation, classifier: classifier, means: fitted.means,
                pools: pools + randomPools))
        references = try graph.add(
            AblationStep(
                study.model, layers: study.layers, images: evaluation, classifier: classifier, fitted: fitted,
                indirectLayers: spec.study.indirectLayers, seed: spec.study.seed))
        let effects = try graph.add(
            NeuronEffectsStep(study.model, layers: study.layers, images: heldOutImages, fitted: fitted))
        faithfulness = try (pools + randomPools).map { pool in
            try graph.add(
                FaithfulnessStep(
                    layers: study.layers, effects: effects, directions: fitted.directions, texts: pool.texts,
                    pool: pool.pool,
                    name: pool.name, seed: spec.study.seed))
        }
        let shown = pools[spec.description.pool]
        similarities = try graph.add(
            PhraseSimilarityStep(
                layers: study.layers, directions: directions, pool: shown.pool, texts: shown.texts,
                size: spec.description.size,
                seed: spec.study.seed))
        cardPictures = try graph.add(
            CardPicturesStep(
                model: study.model, layers: study.layers, images: study.fit, fitted: fitted,
                settings: CardPicturesStep.settings(study)))
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = SparseTextMeasures(
            spec: spec, layers: study.layers, classNames: study.classes.names, isPartial: study.isPartial,
            heldOut: heldOut,
            labels: Array(try result.artefact(evaluation.facts).labels.prefix(evaluation.count)),
            directions: try result.artefact(directions),
            texts: try zip(pools + randomPools, faithfulness).map { pool, faithfulness in
                .init(
                    name: pool.name, pool: try result.artefact(pool.pool).pool, codes: try result.artefact(pool.texts),
                    faithfulness: try result.artefact(faithfulness), sizes: pool.sizes)
            }, predictions: try result.artefact(predictions), references: try result.artefact(references),
            similarities: try result.artefact(similarities), trust: try trust.findings(result))
        let neurons = NeuronDescriptions(measures)
        let tables = SparseTextTables(measures)
        let cards = NeuronCards(
            neurons, pictures: try result.artefact(cardPictures), settings: CardPicturesStep.settings(study),
            fit: study.fit.name,
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

/// The spec of the sparse-text experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// pools:
///   - {name: words, source: names-and-keywords}
///   - {name: captions, source: captions}
/// sizes: [4, 8, 16, 32, 64, 128]
/// description: {pool: words, size: 16, neurons: 12}   # what the table of neurons shows
/// held-out-images: 1000                               # for faithfulness: the first of the evaluation set
/// controls: {accuracy-floor: 0.8}
/// ```
struct SparseTextSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
    var evaluation: ImageSetSpec
    var pools: [PoolSpec]
    var sizes: [Int]
    var description: Description
    var heldOutImages: Int
    var controls: ControlsSpec

    struct Description: Sendable {
        /// Index of its pool.
        var pool: Int
        /// Index of its size.
        var size: Int
        /// Neurons in the printed table.
        var neurons: Int
    }

    private enum Key: String, CaseIterable {
        case evaluation, pools, sizes, description, controls
        case heldOutImages = "held-out-images"
    }

    private enum DescriptionKey: String, CaseIterable {
        case pool, size, neurons
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        sizes = root.integers(.sizes, in: 1...4096).sorted()
        pools = PoolSpec.list(root, .pools, data: choices.data)
        let randomNames = pools.map(\.randomName)
        for other in pools where randomNames.contains(other.name) {
            root.check(
                .pools, holds: false, "'\(other.name)' is what the random vectors beside another pool are called")
        }
        heldOutImages = root.integer(.heldOutImages, in: 2...1_000_000)
        controls = ControlsSpec(root, .controls)
        let mapping = root.mapping(.description, keys: DescriptionKey.self)
        let pool = mapping.string(.pool, among: pools.map(\.name))
        let size = mapping.integer(.size)
        let index = sizes.firstIndex(of: size)
        if root.isSound(.sizes) {
            mapping.check(.size, holds: index != nil, "\(size) is none of the sizes \(sizes)")
        }
        description = Description(
            pool: pools.firstIndex { $0.name == pool } ?? 0, size: index ?? 0,
            neurons: mapping.integer(.neurons, in: 1...1000, default: 12))
    }
}
