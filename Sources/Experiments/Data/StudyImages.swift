import CLIPModel
import Foundation
import Foundations
import Inputs
import Pipeline

/// Turns the images that a spec names into steps, whether they are scenes or pictures.
struct StudyImages {
    private let spec: SettingSpec
    private let model: StudyModel
    private let context: ExperimentContext
    /// All that the spec names, which are to have different names.
    private let sets: [ImageSetSpec]
    /// How pictures are brought to the square that the tower takes.
    private let preprocessing: ImagePreprocessing
    private var size: Int { preprocessing.geometry.size }

    /// - Parameters:
    ///   - sets: all that the spec names.
    ///   - inputSize: the whole image is squashed to a square of this size; nil: the model's own preprocessing.
    init(
        _ spec: SettingSpec, sets: [ImageSetSpec], _ model: StudyModel, _ context: ExperimentContext,
        inputSize: Int? = nil
    ) {
        (self.spec, self.sets, self.model, self.context) = (spec, sets, model, context)
        preprocessing = inputSize.map(model.preprocessing.squashing) ?? model.preprocessing
    }

    /// - Parameters:
    ///   - masks: how masks reach the model's square; nil for images without.
    ///   - isLabelled: each image has to have one class.
    ///   - needsMainObject: each mask has to have one object that the image is about.
    /// - Throws: `InputError`, `DataSetError`, `ExperimentError`, `PipelineError`.
    func source(
        _ images: ImageSetSpec, masks: MaskGeometry? = nil, isLabelled: Bool = false, needsMainObject: Bool = true,
        in graph: inout Graph
    ) throws -> ImageSource {
        switch images.source {
        case .scenes(let name, let split):
            let dataset = try context.opened.scenes(name)
            var steps = try dataset.scenes(split, limit: context.limit, in: &graph)
            if dataset.imageSize != size {
                guard case .exact = preprocessing.geometry.resize else {
                    throw ExperimentError.imageSizeMismatch(
                        dataset: name, found: dataset.imageSize, model: model.name, expected: size)
                }
                steps = try ResizedImagesStep.add(steps, preprocessing, label: images.split, in: &graph)
            }
            return ImageSource(
                steps, perShard: spec.imagesPerShard,
                name: ImageSet(dataset: name, split: images.split, isPublished: true),
                digest: dataset.entry.splits[split.rawValue]?.sha256)
        case .pictures(let set, _, _):
            guard masks == nil || set.hasMasks else { throw ExperimentError.noMasks(dataset: set.name) }
            let dataset = try pictures(images, withMasks: masks != nil)
            let list = dataset.list
            let name = ImageSet(
                dataset: images.dataset(among: sets), split: images.split, isPublished: set.folder != nil,
                skipped: list.skipped.count,
                ids: list.entries.map(\.id))
            if isLabelled, let bare = list.entries.firstIndex(where: { $0.label == nil }) {
                throw ExperimentError.unlabelled(image: name.imageID(bare))
            }
            if masks != nil, needsMainObject,
                let bare = list.entries.firstIndex(where: {
                    $0.objects.first == nil || ($0.label == nil && $0.objects != [-1])
                })
            {
                throw ExperimentError.noMainObject(image: name.imageID(bare))
            }
            return ImageSource(
                try dataset.images(preprocessing, masks: masks, label: name.name, in: &graph),
                perShard: spec.imagesPerShard,
                name: name, digest: list.digest, skipped: list.skipped)
        }
    }

    /// The classes that a classifier for some images chooses among.
    /// - Parameters:
    ///   - areLabels: the images' labels are compared with its answers.
    ///   - usual: sentences for the classes of pictures where the spec names none.
    /// - Throws: `InputError`, `DataSetError`, ``ExperimentError/classNames(dataset:found:needed:)``, `SpecError`.
    func classes(
        _ images: ImageSetSpec, withMasks: Bool = false, areLabels: Bool, usual: SettingSpec.Templates = .openAI80
    ) throws -> StudyClasses {
        let templates = try spec.templates.map { try PromptSet.templates($0.url(in: context.opened.places)) }
        switch images.source {
        case .scenes(let name, _):
            let dataset = try context.opened.scenes(name)
            return named(
                StudyClasses(
                    names: try dataset.classNames(), templates: templates ?? SceneCaption.templates, scenes: dataset))
        case .pictures:
            let list = try pictures(images, withMasks: withMasks).list
            let names = try spec.classNames.map { try PromptSet.classNames($0) } ?? list.classNames
            guard names.count == list.classNames.count || !areLabels else {
                throw ExperimentError.classNames(
                    dataset: images.dataset(among: sets), found: names.count, needed: list.classNames.count)
            }
            let sentences =
                try templates ?? list.templates ?? PromptSet.templates(usual.url(in: context.opened.places))
            return named(StudyClasses(names: names, templates: sentences, scenes: nil))
        }
    }

    private func named(_ classes: StudyClasses) -> StudyClasses {
        var classes = classes
        classes.settings = [
            "classes": context.opened.places.name(of: classes.names, kind: "names"),
            "templates": context.opened.places.name(of: classes.templates, kind: "sentences"),
        ]
        return classes
    }

    private func pictures(_ images: ImageSetSpec, withMasks: Bool) throws -> PictureDataset {
        do {
            return try context.opened.pictures(
                images, limit: context.limit, withMasks: withMasks, onBadPicture: spec.onBadPicture,
                classNames: spec.classNames)
        } catch InputError.sampleTooLarge(let wanted, let available) {
            throw images.samplePlace.invalid(
                "a sample of \(wanted) pictures from \(images.dataset(among: sets)), which has \(available)")
        } catch InputError.sampleTooSparse(let step, let available) {
            throw images.samplePlace.invalid(
                "every \(step)th picture of \(images.dataset(among: sets)) is none, as it has \(available)")
        }
    }
}

/// The classes that a zero-shot classifier chooses among, and what is known of them besides their names.
struct StudyClasses: Sendable {
    /// In label order.
    let names: [String]
    /// Sentences with `{}` for the name.
    let templates: [String]
    /// The scenes that show the classes; nil for pictures from elsewhere.
    let scenes: SceneDataset?
    /// What names and sentences are called as settings.
    var settings: [String: String] = [:]

    /// The scenes, for what only they can do.
    /// - Throws: ``ExperimentError/onlyForScenes(feature:)``.
    func requireScenes(_ feature: String) throws -> SceneDataset {
        guard let scenes else { throw ExperimentError.onlyForScenes(feature: feature) }
        return scenes
    }

    /// What names each class: its name and keywords; of pictures from elsewhere the name and its words. // [classes]
    /// - Throws: `InputError`.
    func words() throws -> [Set<String>] {
        if let scenes { return try scenes.concepts().map { Set([$0.name] + $0.keywords) } }
        return names.map { name in
            Set(
                [name, name.lowercased()]
                    + name.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init))
        }
    }

    /// Names and keywords, each once.
    /// - Throws: `InputError`.
    func namesAndKeywords() throws -> [String] { try scenes?.namesAndKeywords() ?? names.uniqued() }

    /// A digest of what names the classes.
    /// - Throws: `InputError`.
    func digest() throws -> String {
        try scenes?.namesDigest() ?? Digest.sha256(of: Data(names.joined(separator: "\n").utf8))
    }
}
