import Inputs
import Pipeline

/// Appendix A.5 of arXiv 2406.04341: the concepts of an image, read from the descriptions of the neurons that
/// are active on it.
struct ConceptDiscoveryExperiment: ExperimentDefinition {
    static let name = "concept-discovery"

    /// Scenes in the picture.

    let spec: ConceptDiscoverySpec
    private let study: Study
    private let images: ImageSource
    private let pool: StepHandle<StoredTextPool>
    private let found: StepHandle<ConceptPhrases>
    private let gallery: StepHandle<StoredGallery>
    private let trust: TrustChecks

    init(_ spec: ConceptDiscoverySpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        (study, images) = try Study.evaluating(
            spec.evaluation, spec.study, first: spec.images, context: context, graph: &graph)
        let fitted = try study.fitted(in: &graph)
        pool = try graph.add(TextPoolStep(study, spec.pool, needed: spec.sizes.last ?? 1))
        let texts = try graph.add(
            SparseTextsStep(
                model: study.model, layers: study.layers, pool: pool, name: spec.pool.name,
                phrases: spec.pool.phraseCount(in: study), directions: fitted.directions, sizes: spec.sizes))
        found = try graph.add(
            ConceptPhrasesStep(
                study.model, layers: spec.neuronLayers, images: images, fitted: fitted, pool: pool,
                texts: texts,
                size: spec.size, kept: spec.phrases))
        gallery = try graph.add(
            ConceptGalleryStep(
                images: images, pool: pool, found: found, size: study.model.configuration.vision.imageSize))
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let facts = try result.artefact(images.facts)
        let words = try study.classes.words()
        let measures = ConceptDiscoveryMeasures(
            spec: spec, isPartial: study.isPartial, pool: try result.artefact(pool).pool,
            found: try result.artefact(found),
            truths: (0..<images.count).map { image in
                facts.objects[image].filter { $0 >= 0 }.map { words[Int($0)] }
            }, decomposition: try trust.findings(result))
        return ExperimentReport(
            metrics: measures.metrics(), predictions: [],
            tables: [measures.table].marked(partial: study.isPartial, images: images.count),
            attachments: [measures.list(captions: facts.captions)]
                + (try result.artefact(gallery).attachments("gallery")),
            failedControls: measures.failedControls())
    }
}

/// The first scenes with their phrases, as one picture.
struct ConceptGalleryStep: StepDefinition {
    let images: ImageSource
    let pool: StepHandle<StoredTextPool>
    let found: StepHandle<ConceptPhrases>
    /// Side of the images, in pixels.
    let size: Int

    /// Scenes.
    private static let pictured = 24
    private static let columns = 6

    func step() throws -> Step<StoredGallery> {
        let scale = max(1, 256 / size)
        return Step(
            kind: "concept-gallery", version: 2, inputs: [images.images.erased, pool.erased, found.erased],
            work: .single { inputs in
                let (reader, pool, found) = (
                    ImageReader(try inputs[images.images]), try inputs[pool].pool, try inputs[found]
                )
                let cells = try (0..<min(Self.pictured, images.count)).map { image in
                    Gallery.Cell(
                        try reader.image(image),
                        captions: [
                            found.phrases(image: image, score: .signed).filter { $0 >= 0 }.map { pool.phrases[Int($0)] }
                                .joined(separator: ", ")
                        ])
                }
                let rows = stride(from: 0, to: cells.count, by: Self.columns).map {
                    Gallery.Row(cells: Array(cells[$0..<min($0 + Self.columns, cells.count)]))
                }
                let gallery = Gallery(
                    title: "\(images.name.name) · phrases by active neurons, effects with their sign",
                    rows: rows, scale: scale
                )
                return try StoredGallery(gallery, named: "concept-gallery")
            })
    }
}

/// The spec of the concept-discovery experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// images: 1000                     # the first of the evaluation set
/// pools: [{name: words, source: names-and-keywords}]
/// sizes: [4, 8, 16, 32, 64, 128]   # as in sparse-text, to share its step
/// size: 64                         # phrases that describe a neuron
/// neuron-layers: [0, 1, 2, 3, 4]   # whose neurons speak
/// phrases: 10                      # that describe an image
/// ```
struct ConceptDiscoverySpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
    var evaluation: ImageSetSpec
    var images: Int
    var pool: PoolSpec
    var sizes: [Int]
    /// Index of the size that describes a neuron.
    var size: Int
    /// Of the layers of the study.
    var neuronLayers: [Int]
    /// Phrases that describe an image.
    var phrases: Int

    private enum Key: String, CaseIterable {
        case evaluation, images, pools, sizes, size, phrases
        case neuronLayers = "neuron-layers"
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        images = root.integer(.images, in: 2...1_000_000)
        pool = PoolSpec.one(root, .pools, data: choices.data)
        (sizes, size) = root.sizes(.sizes, chosen: .size)
        phrases = root.integer(.phrases, in: 1...1000, default: 10)
        neuronLayers = root.neuronLayers(.neuronLayers, of: study, choices)
    }
}

extension SpecMapping {
    /// Numbers of phrases for a neuron, ascending, and the index of the one that describes it.
    func sizes(_ key: Key, chosen: Key) -> (all: [Int], index: Int) {
        let sizes = integers(key, in: 1...4096).sorted()
        let size = integer(chosen)
        let index = sizes.firstIndex(of: size)
        check(chosen, with: key, holds: index != nil, "\(size) is none of the sizes \(sizes)")
        return (sizes, index ?? 0)
    }
}
