import Pipeline

/// Table 3 of arXiv 2406.04341: words that the neurons' descriptions connect with a class, put into pictures
/// of another one.
struct AdversarialSearchExperiment: ExperimentDefinition {
    static let name = "adversarial-search"

    let spec: AdversarialSearchSpec
    private let study: Study
    private let words: StepHandle<SearchWords>
    private let descriptions: StepHandle<SearchDescriptions>
    private let pictures: StepHandle<SearchPictures>
    private let galleries: [StepHandle<StoredGallery>]
    private let trust: TrustChecks
    private let paper: PaperTable?

    init(_ spec: AdversarialSearchSpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        paper = try context.papers().table(AdversarialSearchSpec.paper.short, AdversarialSearchSpec.paper.table)
        study = try Study(spec.study, context: context, graph: &graph)
        let fitted = try study.fitted(in: &graph)
        let classifier = try study.classifier(in: &graph)
        let names = try graph.add(
            ClassifierStep(model: study.model, names: study.classes.names, templates: ["{}"]))
        let pool = try graph.add(TextPoolStep(study, spec.pool, needed: spec.sizes.last ?? 1))
        let sampled = try graph.add(SampledEffectsStep(study, means: fitted.means, sample: spec.indirect))
        let texts = try graph.add(
            SparseTextsStep(
                model: study.model, layers: study.layers, pool: pool, name: spec.pool.name,
                phrases: spec.pool.phraseCount(in: study), directions: fitted.directions, sizes: spec.sizes))
        words = try graph.add(
            SearchWordsStep(
                spec: spec, layers: spec.neuronLayers, classes: study.classes, classifier: classifier,
                names: names,
                directions: fitted.directions, sampled: sampled, pool: pool, texts: texts))
        descriptions = try graph.add(SearchDescriptionsStep(spec: spec, words: words))
        pictures = try graph.add(
            SearchPicturesStep(
                study, spec, descriptions: descriptions, classifier: spec.classTexts == .names ? names : classifier))
        galleries = try spec.pairs.indices.map { [spec, pictures, descriptions] pair in
            try graph.add(FoolingPicturesStep(spec: spec, pair: pair, pictures: pictures, descriptions: descriptions))
        }
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = AdversarialSearchMeasures(
            spec: spec, isPartial: study.isPartial, words: try result.artefact(words),
            descriptions: try result.artefact(descriptions).descriptions, pictures: try result.artefact(pictures),
            trust: try trust.findings(result), settings: study.settings.merging(try spec.settings()) { $1 },
            paper: paper)
        let pictured = try zip(spec.pairs, galleries).flatMap { pair, gallery in
            try result.artefact(gallery).attachments(pair.fileName)
        }
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: measures.tables.marked(partial: study.isPartial, images: study.fit.count),
            attachments: measures.lists + pictured, failedControls: measures.trust.failedControls())
    }
}
