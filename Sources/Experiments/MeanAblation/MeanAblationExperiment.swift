import CLIPModel
import Inputs
import Lens
import Pipeline

/// Figure 3 and Table 1 of arXiv 2406.04341: what happens to zero-shot accuracy when the second-order
/// effects of one layer's neurons are replaced by their means, for every layer.
struct MeanAblationExperiment: Experiment {
    static let name = "mean-ablation"

    let spec: MeanAblationSpec
    let layers: [Int]
    let isPartial: Bool
    let classNames: [String]
    let fitCount: Int
    private let evaluationImages: StepHandle<SceneSet>
    private let directions: StepHandle<FittedDirections>
    private let predictions: StepHandle<AblationPredictions>
    private let indirect: StepHandle<IndirectExplainedVariance>
    private let decomposition: StepHandle<StoredDecomposition>
    private let overlap: StepHandle<StoredOverlap>

    init(_ document: SpecDocument, context: ExperimentContext, graph: inout Graph) throws {
        // The architecture decides which layers a spec may name, so the model is opened first.
        var opened: ModelUnderStudy?
        spec = try MeanAblationSpec(
            document, models: context.manifest.models.keys.sorted(), datasets: context.manifest.datasets.keys.sorted()
        ) { name in
            let model = try ModelUnderStudy(name, in: context.manifest)
            opened = model
            return .init(layers: model.layersWithLaterAttention, neurons: model.configuration.vision.mlpWidth)
        }
        let model = try opened ?? ModelUnderStudy(spec.model, in: context.manifest)
        layers = spec.layers ?? Array(model.layersWithLaterAttention)
        isPartial = context.limit != nil
        let perShard = spec.imagesPerShard

        func images(_ name: ImageSetName) throws -> ImageSource {
            let dataset = try SceneDataset(name.dataset, in: context.manifest)
            guard dataset.imageSize == model.configuration.vision.imageSize else {
                throw ExperimentError.imageSizeMismatch(
                    dataset: name.dataset, found: dataset.imageSize, model: model.name,
                    expected: model.configuration.vision.imageSize)
            }
            guard let split = SceneSplit(rawValue: name.split) else {
                throw InputError.unknownSplit(name: name.split, known: dataset.entry.splits.keys.sorted())
            }
            let (handle, count) = try dataset.scenes(split, limit: context.limit, in: &graph)
            return ImageSource(handle: handle, count: count, perShard: perShard, name: name)
        }
        let (fit, evaluation) = (try images(spec.fit), try images(spec.evaluation))
        guard fit.count >= spec.significantImages else {
            throw ExperimentError.tooFewImages(split: spec.fit.split, found: fit.count, needed: spec.significantImages)
        }
        fitCount = fit.count
        evaluationImages = evaluation.handle
        classNames = try SceneDataset(spec.evaluation.dataset, in: context.manifest).classNames()

        let classifier = try ClassifierStep.add(
            model, names: classNames, templates: SceneCaption.templates, in: &graph)
        let means = try EffectMeansStep.add(model, layers: layers, images: fit, in: &graph)
        let largest = try LargestEffectsStep.add(
            model, layers: layers, images: fit, means: means, count: spec.significantImages, in: &graph)
        directions = try PrincipalDirectionsStep.add(model, layers: layers, largest: largest, in: &graph)
        predictions = try AblationStep.add(
            model, layers: layers, images: evaluation, classifier: classifier, means: means, directions: directions,
            seed: spec.seed, in: &graph)
        indirect = try IndirectVarianceStep.add(
            model, layers: layers, images: fit, means: means, neurons: spec.indirectNeurons,
            imageCount: spec.indirectImages, keeping: spec.significantImages, seed: spec.seed, in: &graph)
        decomposition = try DecompositionStep.add(model, layers: layers, images: evaluation, in: &graph)
        overlap = try OverlapStep.add(fit: fit, evaluation: evaluation, in: &graph)
    }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = MeanAblationMeasures(
            spec: spec, layers: layers, classNames: classNames, fitCount: fitCount, isPartial: isPartial,
            labels: try result.artefact(evaluationImages).labels, predictions: try result.artefact(predictions),
            directions: try result.artefact(directions), indirect: try result.artefact(indirect),
            decomposition: try result.artefact(decomposition), overlap: try result.artefact(overlap))
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: MeanAblationTables(measures).layouts,
            failedControls: measures.failedControls())
    }
}
