import CLIPModel
import DenseMath
import Inputs
import Lens
import Pipeline

/// A model, the images it is fitted on and measured on, and the fitted steps: what every experiment on
/// neurons starts from. Two experiments with the same settings get the same steps.
struct Study: Sendable {
    let spec: StudySpec
    let model: StudyModel
    /// The layers whose neurons are studied.
    let layers: [Int]
    let fit: ImageSource
    /// Nil for an experiment that describes the fit set itself.
    let evaluation: ImageSource?
    let classes: StudyClasses
    let isPartial: Bool

    /// Opens model and data set and adds the images of the fit set, for an experiment on these alone.
    /// - Throws: `InputError`, `DataSetError`, `ExperimentError`, `PipelineError`, and what opening a model throws.
    init(_ spec: StudySpec, context: ExperimentContext, graph: inout Graph) throws {
        try self.init(
            spec, evaluation: nil, classes: Self.classes(spec, of: spec.fit, context: context), context: context,
            graph: &graph)
    }

    private init(
        _ spec: StudySpec, evaluation: ImageSource?, set: ImageSetSpec? = nil, classes: StudyClasses,
        context: ExperimentContext, graph: inout Graph
    ) throws {
        (self.spec, self.evaluation, self.classes) = (spec, evaluation, classes)
        model = try context.opened.model(spec.modelKey)
        layers = spec.layers
        isPartial = context.limit != nil
        fit = try StudyImages(spec.setting, sets: [spec.fit] + (set.map { [$0] } ?? []), model, context).source(
            spec.fit, in: &graph)
    }

    /// A study of an experiment that measures on other images than its fit set, and those images.
    /// - Parameters:
    ///   - first: measure on the first images only, beside the limit of the run.
    ///   - masks: how masks reach the model's square; nil for images without.
    ///   - isLabelled: each image has to have one class.
    static func evaluating(
        _ evaluation: ImageSetSpec, _ spec: StudySpec, first: Int? = nil, masks: MaskGeometry? = nil,
        isLabelled: Bool = false, context: ExperimentContext, graph: inout Graph
    ) throws -> (study: Study, evaluation: ImageSource) {
        let images = StudyImages(
            spec.setting, sets: [spec.fit, evaluation], try context.opened.model(spec.modelKey), context)
        var source = try images.source(evaluation, masks: masks, isLabelled: isLabelled, in: &graph)
        source.count = min(source.count, first ?? .max)
        let study = try Study(
            spec, evaluation: source, set: evaluation,
            classes: images.classes(evaluation, withMasks: masks != nil, areLabels: true),
            context: context, graph: &graph)
        return (study, source)
    }

    /// The classes that a classifier for some images chooses among.
    /// - Throws: as `init`.
    static func classes(_ spec: StudySpec, of images: ImageSetSpec, context: ExperimentContext) throws -> StudyClasses {
        try StudyImages(spec.setting, sets: [spec.fit], try context.opened.model(spec.modelKey), context)
            .classes(images, areLabels: false)
    }

    /// All that decides its numbers, by the names that papers' files use.
    var settings: [String: String] {
        model.settings.merging(classes.settings) { $1 }.merging(
            ["fit": fit.name.setting, "significant-images": "\(spec.significantImages)"]
                .merging(evaluation.map { ["evaluation": $0.name.setting] } ?? [:]) { $1 }
        ) { $1 }
    }

    var inputs: StudyInputs {
        let sets = [("fit", fit)] + (evaluation.map { [("evaluation", $0)] } ?? [])
        return StudyInputs(
            model: StudyInputs.Model(model),
            images: sets.map(StudyInputs.Images.init), classes: classes.names, templates: classes.templates)
    }

    // MARK: Shared steps

    func classifier(in graph: inout Graph) throws -> StepHandle<StoredClassifier> {
        try graph.add(ClassifierStep(model: model, names: classes.names, templates: classes.templates))
    }

    /// Means and principal directions of every layer's neurons.
    struct Fitted: Sendable {
        let means: StepHandle<FittedMeans>
        let largest: StepHandle<Shards<CandidateEffectsPart>>
        let directions: StepHandle<FittedDirections>
    }

    /// - Throws: ``ExperimentError/tooFewImages(split:found:needed:)``, `PipelineError`.
    func fitted(in graph: inout Graph) throws -> Fitted {
        guard fit.count >= spec.significantImages else {
            throw ExperimentError.tooFewImages(split: fit.name.name, found: fit.count, needed: spec.significantImages)
        }
        return try Fitted(model, layers: layers, images: fit, count: spec.significantImages, in: &graph)
    }
}

extension Study.Fitted {
    /// - Parameter count: images with the largest effects that each neuron keeps.
    /// - Throws: `PipelineError`.
    init(_ model: StudyModel, layers: [Int], images: ImageSource, count: Int, in graph: inout Graph) throws {
        let means = try EffectMeansStep.add(model, layers: layers, images: images, count: count, in: &graph)
        let largest = try graph.add(
            LargestEffectsStep(model: model, layers: layers, images: images, means: means, count: count))
        self.init(
            means: means, largest: largest,
            directions: try graph.add(
                PrincipalDirectionsStep(model: model, layers: layers, largest: largest, count: count)))
    }
}
