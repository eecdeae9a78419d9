import Inputs
import Pipeline

/// Appendix A.5 of arXiv 2406.04341: the concepts of an image, read from the descriptions of the neurons that
/// are active on it.
struct ConceptDiscoveryExperiment: Experiment {
    static let name = "concept-discovery"

    /// Scenes in the picture.
    private static let picturedScenes = 24

    let spec: ConceptDiscoverySpec
    private let study: Study
    private let images: ImageSource
    private let pool: StepHandle<StoredTextPool>
    private let found: StepHandle<ConceptPhrases>
    private let gallery: StepHandle<StoredPicture>
    private let trust: TrustChecks

    init(_ document: SpecDocument, context: ExperimentContext, graph: inout Graph) throws {
        spec = try ConceptDiscoverySpec(document, choices: .init(context), model: Study.facts(context))
        (study, images) = try Study.evaluating(
            spec.evaluation, spec.study, first: spec.images, context: context, graph: &graph)
        let fitted = try study.fitted(in: &graph)
        pool = try TextPoolStep.add(spec.pool, needed: spec.sizes.last ?? 1, of: study, in: &graph)
        let texts = try SparseTextsStep.add(
            study, pool: pool, named: spec.pool.name, phrases: spec.pool.phraseCount(in: study), directions: fitted.directions, sizes: spec.sizes, in: &graph)
        found = try ConceptPhrasesStep.add(
            study, images: images, fitted: fitted, pool: pool, texts: texts, layers: spec.neuronLayers ?? study.layers,
            size: spec.size, kept: spec.phrases, in: &graph)
        gallery = try Self.gallery(study, images, pool: pool, found: found, in: &graph)
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let facts = try result.artefact(images.facts)
        let words = try study.classes.words()
        let measures = ConceptDiscoveryMeasures(
            spec: spec, isPartial: study.isPartial, pool: try result.artefact(pool).pool, found: try result.artefact(found),
            truths: (0..<images.count).map { image in
                facts.objects[image].filter { $0 >= 0 }.map { words[Int($0)] }
            }, decomposition: try trust.findings(result))
        return ExperimentReport(
            metrics: measures.metrics(), predictions: [],
            tables: [measures.table].marked(partial: study.isPartial, images: images.count),
            attachments: [measures.list(captions: facts.captions)] + (try result.artefact(gallery).attachments("gallery")),
            failedControls: measures.failedControls())
    }

    /// The first scenes with their phrases.
    private static func gallery(
        _ study: Study, _ images: ImageSource, pool: StepHandle<StoredTextPool>, found: StepHandle<ConceptPhrases>, in graph: inout Graph
    ) throws -> StepHandle<StoredPicture> {
        let columns = 6
        let scale = max(1, 256 / study.model.configuration.vision.imageSize)
        return try graph.add(
            Step(
                kind: "concept-gallery", version: 2, inputs: [images.images.erased, pool.erased, found.erased],
                work: .single { inputs in
                    let (reader, pool, found) = (ImageReader(try inputs[images.images]), try inputs[pool].pool, try inputs[found])
                    let cells = try (0..<min(picturedScenes, images.count)).map { image in
                        Gallery.Cell(
                            try reader.image(image),
                            captions: [
                                found.phrases(image: image, score: .signed).filter { $0 >= 0 }.map { pool.phrases[Int($0)] }
                                    .joined(separator: ", ")
                            ])
                    }
                    let rows = stride(from: 0, to: cells.count, by: columns).map {
                        Gallery.Row(cells: Array(cells[$0..<min($0 + columns, cells.count)]))
                    }
                    let gallery = Gallery(
                        title: "\(images.name.name) · phrases by active neurons, effects with their sign",
                        rows: rows, scale: scale
                    )
                    return try StoredPicture(gallery, named: "concept-gallery")
                }))
    }
}
