import CLIPModel
import Inputs
import Pipeline

/// A model and the images that it is measured on: what an experiment that fits nothing starts from.
struct PictureStudy: Sendable {
    let setting: SettingSpec
    let model: StudyModel
    /// The whole image is squashed to a square of this size, in pixels.
    let inputSize: Int
    let images: ImageSource
    let classes: StudyClasses
    let isPartial: Bool
}

extension PictureStudy {
    /// Opens model and data set and adds the images.
    /// - Parameters:
    ///   - withMasks: masks go to the square in the same way.
    ///   - usual: sentences for the classes of pictures where the spec names none.
    /// - Throws: `InputError`, `DataSetError`, `ExperimentError`, `PipelineError`, and what opening a model throws.
    init(
        _ setting: SettingSpec, _ images: ImageSetSpec, inputSize: Int, withMasks: Bool, usual: SettingSpec.Templates,
        context: ExperimentContext, graph: inout Graph
    ) throws {
        (self.setting, self.inputSize) = (setting, inputSize)
        model = try context.opened.model(setting.modelKey)
        let opener = StudyImages(setting, sets: [images], model, context, inputSize: inputSize)
        self.images = try opener.source(
            images, masks: withMasks ? .squashed : nil, needsMainObject: false, in: &graph)
        classes = try opener.classes(images, withMasks: withMasks, areLabels: true, usual: usual)
        isPartial = context.limit != nil
    }

    func classifier(in graph: inout Graph) throws -> StepHandle<StoredClassifier> {
        try graph.add(ClassifierStep(model: model, names: classes.names, templates: classes.templates))
    }

    /// What a text without a name says in the same sentences.
    func emptyText(in graph: inout Graph) throws -> StepHandle<StoredClassifier> {
        try graph.add(ClassifierStep(model: model, names: [""], templates: classes.templates))
    }

    /// All that decides its numbers, by the names that papers' files use.
    var settings: [String: String] {
        model.settings.merging(classes.settings) { $1 }.merging([
            "evaluation": images.name.setting, "input-size": "\(inputSize)",
        ]) { $1 }
    }

    var inputs: StudyInputs {
        StudyInputs(
            model: StudyInputs.Model(model, preprocessing: model.preprocessing.squashing(to: inputSize)),
            images: [StudyInputs.Images("evaluation", images)], classes: classes.names,
            templates: classes.templates)
    }
}
