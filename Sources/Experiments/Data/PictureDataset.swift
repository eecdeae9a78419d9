import CLIPModel
import Foundation
import Inputs
import Pipeline
import Synchronization

/// Pictures that people have, as an experiment sees them: their list is known when steps are planned,
/// their pixels are made by a step.
struct PictureDataset: Sendable {
    let source: PictureSource
    let list: PictureList
    private let opened: Shared<LabelledPictures>

    /// Opens the set, or remembers its list, where no file has changed.
    /// - Parameters:
    ///   - limit: only the first pictures of the sample, in the given order.
    ///   - decodesAll: see `PictureList`.
    ///   - memo: also where indices of archives are kept.
    ///   - tell: gets a line for people when reading takes long.
    /// - Throws: `DataSetError`, `InputError`, `ArchiveError`.
    init(
        _ source: PictureSource, _ sampling: ImageSampling, limit: Int?, order: PictureList.Order = .drawn,
        withMasks: Bool, decodesAll: Bool = false, onBadPicture: BadPictures, memo: InputMemo,
        tell: @escaping @Sendable (String) -> Void
    ) throws {
        let opened = Shared { try source.open(withMasks: withMasks, indices: memo.indices) }
        (self.source, self.opened) = (source, opened)
        let key = [
            source.set.name, source.split ?? "", "\(sampling)", limit.map(String.init) ?? "", "\(withMasks)",
            onBadPicture.rawValue, "\(order) \(decodesAll)",
        ].joined(separator: "\n")
        list = try memo.value("pictures", of: source.files(), key: key) {
            let reading = ReadingProgress("\(source.set.name): reading pictures", tell)
            return try PictureList(
                opened.value(), sampling, limit: limit, order: order, withMasks: withMasks, decodesAll: decodesAll,
                onBadPicture: onBadPicture, progress: reading.show)
        }
    }

    /// Pictures of the set, of which the list may have some only.
    /// - Throws: as `init`.
    func found() throws -> Int { try opened.value().count }

    /// Adds the steps that bring the pictures to a square.
    /// - Parameter masks: how masks get there; nil for pictures without.
    /// - Throws: `PipelineError`.
    func images(
        _ preprocessing: ImagePreprocessing, masks: MaskGeometry?, label: String, in graph: inout Graph
    ) throws -> ImageSource.Steps {
        let images = try graph.add(
            PicturesStep(
                list: list, opened: opened, place: source.place.path, preprocessing: preprocessing, masks: masks,
                label: label))
        return try ImageSource.Steps(images, count: list.entries.count, label: label, in: &graph)
    }
}

/// Brings the pictures of a list to a square.
private struct PicturesStep: StepDefinition {
    let list: PictureList
    let opened: Shared<LabelledPictures>
    /// Where the pictures are, for errors.
    let place: String
    let preprocessing: ImagePreprocessing
    /// How masks get to the square; nil for pictures without.
    let masks: MaskGeometry?
    let label: String

    /// Pictures that are decoded and stored together.
    private static let perShard = 250

    func step() throws -> Step<Shards<ImageShard>> {
        let size = preprocessing.geometry.size
        return Step(
            kind: "pictures", label: label, version: 2,
            parameters: [
                "preprocessing": .text(preprocessing.name), "masks": masks.map { .text($0.rawValue) } ?? .null,
            ],
            digests: ["pictures": list.digest],
            // A shard's pixels and masks stand in memory twice, beside one large picture.
            memory: MemoryEstimate(
                shared: 100 << 20,
                perWorker: 2 * 4 * min(Self.perShard, list.entries.count) * size * size + 100 << 20),
            work: try .shards(
                units: list.entries.count, unitsPerShard: Self.perShard,
                makeWorker: { _ in
                    let pictures = try opened.value()
                    return { shard in
                        var result = ImageShard(imageSize: size)
                        for entry in list.entries[shard.units] {
                            let image = try pictures.image(entry)
                            let mask = try masks.map { try self.mask(of: entry, in: pictures, $0, image: image) }
                            result.append(preprocessing(image), mask: mask, label: entry.label, objects: entry.objects)
                        }
                        return result
                    }
                }))
    }

    private func mask(
        of entry: PictureList.Entry, in pictures: LabelledPictures, _ geometry: MaskGeometry, image: RGBImage
    ) throws -> [UInt8] {
        guard let mask = try pictures.mask(entry) else {
            throw DataSetError.missingMask(path: place, picture: entry.id)
        }
        return try geometry.mask(
            mask.objects, width: mask.width, height: mask.height, image: (image.width, image.height),
            square: preprocessing.geometry, border: ObjectMask.ignored)
    }
}

/// Says now and then how far a reading has come, if it takes long.
final class ReadingProgress: Sendable {
    private let what: String
    private let tell: @Sendable (String) -> Void
    private let next: Mutex<ContinuousClock.Instant>
    private static let interval = Duration.seconds(5)

    init(_ what: String, _ tell: @escaping @Sendable (String) -> Void) {
        (self.what, self.tell) = (what, tell)
        next = Mutex(ContinuousClock.now + Self.interval)
    }

    @Sendable func show(_ done: Int, of all: Int) {
        let isDue = next.withLock { next in
            guard ContinuousClock.now >= next else { return false }
            next = ContinuousClock.now + Self.interval
            return true
        }
        if isDue { tell("\(what), \(done) of \(all)") }
    }
}
