import CLIPModel
import Inputs
import Lens
import Pipeline

/// A model, the images it is fitted on and the fitted steps: what every experiment on neurons starts
/// from. Two experiments with the same settings get the same steps.
struct Study: Sendable {
    let spec: StudySpec
    let model: ModelUnderStudy
    /// The layers whose neurons are studied.
    let layers: [Int]
    let fit: ImageSource
    let classNames: [String]
    let dataset: SceneDataset
    let isPartial: Bool
    private let context: ExperimentContext

    /// Opens model and data set and adds the images of the fit set.
    /// - Throws: `InputError`, `ExperimentError`, `PipelineError`, and what opening a model throws.
    init(_ spec: StudySpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        self.context = context
        model = try context.opened.model(spec.model, textActivation: spec.textActivation)
        layers = spec.layers ?? Array(model.layersWithLaterAttention)
        isPartial = context.limit != nil
        dataset = try context.opened.dataset(spec.fit.dataset)
        classNames = try dataset.classNames()
        fit = try Self.images(spec.fit, spec: spec, model: model, context: context, graph: &graph)
        guard fit.count >= spec.significantImages else {
            throw ExperimentError.tooFewImages(split: spec.fit.split, found: fit.count, needed: spec.significantImages)
        }
    }

    /// Bounds of what a spec may ask of a model: the architecture decides which layers there are.
    /// - Throws: what opening a model throws.
    static func limits(_ context: ExperimentContext) -> (String) throws -> StudySpec.Limits {
        { name in
            let model = try context.opened.model(name, textActivation: nil)
            return StudySpec.Limits(layers: model.layersWithLaterAttention, neurons: model.configuration.vision.mlpWidth)
        }
    }

    /// Adds a set of images.
    /// - Parameter limit: use the first images only, beside the limit of the run.
    func images(_ name: ImageSetName, limit: Int? = nil, in graph: inout Graph) throws -> ImageSource {
        var source = try Self.images(name, spec: spec, model: model, context: context, graph: &graph)
        source.count = min(source.count, limit ?? .max)
        return source
    }

    private static func images(
        _ name: ImageSetName, spec: StudySpec, model: ModelUnderStudy, context: ExperimentContext, graph: inout Graph
    ) throws -> ImageSource {
        let dataset = try context.opened.dataset(name.dataset)
        guard dataset.imageSize == model.configuration.vision.imageSize else {
            throw ExperimentError.imageSizeMismatch(
                dataset: name.dataset, found: dataset.imageSize, model: model.name,
                expected: model.configuration.vision.imageSize)
        }
        guard let split = SceneSplit(rawValue: name.split) else {
            throw InputError.unknownSplit(name: name.split, known: dataset.entry.splits.keys.sorted())
        }
        let steps = try dataset.scenes(split, limit: context.limit, in: &graph)
        return ImageSource(
            images: steps.images, facts: steps.facts, count: steps.count, perShard: spec.imagesPerShard, name: name)
    }

    // MARK: Shared steps

    func classifier(in graph: inout Graph) throws -> StepHandle<StoredClassifier> {
        try ClassifierStep.add(model, names: classNames, templates: SceneCaption.templates, in: &graph)
    }

    /// Means and principal directions of every layer's neurons.
    struct Fitted: Sendable {
        let means: StepHandle<FittedMeans>
        let directions: StepHandle<FittedDirections>
    }

    func fitted(in graph: inout Graph) throws -> Fitted {
        let means = try EffectMeansStep.add(
            model, layers: layers, images: fit, count: spec.significantImages, in: &graph)
        let largest = try LargestEffectsStep.add(
            model, layers: layers, images: fit, means: means, count: spec.significantImages, in: &graph)
        return Fitted(
            means: means,
            directions: try PrincipalDirectionsStep.add(
                model, layers: layers, largest: largest, count: spec.significantImages, in: &graph))
    }
}
