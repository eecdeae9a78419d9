import CLIPModel
import DenseMath
import Foundation
import Inputs
import Lens
import Pipeline
import Synchronization

/// Models and data sets, each opened once for all experiments of a run.
final class OpenedInputs: Sendable {
    let places: InputPlaces
    let papers: Shared<Papers>
    private let memo: InputMemo
    private let tell: @Sendable (String) -> Void
    private let models = Mutex<[ModelKey: StudyModel]>([:])
    private let scenes = Mutex<[String: SceneDataset]>([:])
    private let pictures = Mutex<[PicturesKey: PictureDataset]>([:])

    /// What makes one model another.
    struct ModelKey: Hashable {
        var reference: ModelReference
        var imageActivation: Activation?
        var textActivation: Activation?
        var passOrder: ImagePreprocessing.PassOrder
        var precision = Precision.fp32
    }

    private struct PicturesKey: Hashable {
        var source: ImageSetSpec.Source
        var sampling: ImageSampling
        var limit: Int?
        var withMasks: Bool
        var onBadPicture: BadPictures
        var classNames: URL?
    }

    init(_ places: InputPlaces, memo: InputMemo, tell: @escaping @Sendable (String) -> Void) {
        (self.places, self.memo, self.tell) = (places, memo, tell)
        papers = Shared { try Papers(in: places.papers) }
    }

    /// Keeps what was found out about files, for the next run.
    func keepMemory() { memo.keep() }

    /// - Throws: as `StudyModel.init`.
    func model(_ key: ModelKey) throws -> StudyModel {
        try models.withLock { models in
            if let model = models[key] { return model }
            let model = try StudyModel(
                key.reference, in: places, memo: memo, imageActivation: key.imageActivation,
                textActivation: key.textActivation, passOrder: key.passOrder, precision: key.precision)
            if let warning = model.warning { tell("warning: \(warning)") }
            models[key] = model
            return model
        }
    }

    /// - Throws: as `SceneDataset.init`.
    func scenes(_ name: String) throws -> SceneDataset {
        try scenes.withLock { datasets in
            if let dataset = datasets[name] { return dataset }
            let dataset = try SceneDataset(name, in: places.manifest)
            datasets[name] = dataset
            return dataset
        }
    }

    /// - Precondition: the images are pictures, not scenes.
    /// - Throws: as `PictureDataset.init`.
    func pictures(
        _ images: ImageSetSpec, limit: Int?, withMasks: Bool, onBadPicture: BadPictures, classNames: URL?
    ) throws -> PictureDataset {
        guard case .pictures(let set, let split, let path) = images.source else {
            preconditionFailure("scenes are made, not opened")
        }
        let key = PicturesKey(
            source: images.source, sampling: images.sampling, limit: limit, withMasks: withMasks,
            onBadPicture: onBadPicture,
            classNames: classNames)
        return try pictures.withLock { datasets in
            if let dataset = datasets[key] { return dataset }
            let source = try PictureSource(
                set, split: split, path: path, data: places.data, classes: places.imageNetNames,
                tableClasses: set == .imageTable ? classNames : nil)
            let dataset = try PictureDataset(
                source, images.sampling, limit: limit, withMasks: withMasks, onBadPicture: onBadPicture, memo: memo,
                tell: tell)
            datasets[key] = dataset
            return dataset
        }
    }
}

/// A value that is expensive to make, made by whoever asks first and then shared: a run in which no
/// step has to be computed never makes it.
public final class Shared<Value: Sendable>: Sendable {
    private let make: @Sendable () throws -> Value
    private let made = Mutex<Value?>(nil)

    public init(_ make: @escaping @Sendable () throws -> Value) { self.make = make }

    /// - Throws: what making the value throws; the next call tries again.
    public func value() throws -> Value {
        // Held while making, so that workers wait for one value instead of making their own.
        try made.withLock { made in
            if let made { return made }
            let value = try make()
            made = value
            return value
        }
    }
}

/// A file that whoever asks first reads for all.
struct SharedFile<Contents: Sendable>: Sendable {
    let url: URL
    private let shared: Shared<Contents>

    init(_ url: URL, read: @escaping @Sendable (URL) throws -> Contents) {
        self.url = url
        shared = Shared { try read(url) }
    }

    /// - Throws: what reading the file throws.
    func contents() throws -> Contents { try shared.value() }
}

typealias SharedCompositor = Shared<SceneCompositor>

extension Shared where Value == SceneCompositor {
    convenience init(sources: EmojiSources, recipe: SceneRecipe, seed: UInt64) {
        self.init { try SceneCompositor(sources: sources, recipe: recipe, seed: seed) }
    }
}
