import CLIPModel
import Foundation
import Inputs
import Pipeline

/// Pictures that people have, as an experiment sees them: their list is known when steps are planned,
/// their pixels are made by a step.
struct PictureDataset: Sendable {
    let source: PictureSource
    let list: PictureList
    private let opened: Shared<LabelledPictures>
    private let withMasks: Bool

    /// Opens the set, or remembers its list, where no file has changed.
    /// - Parameters:
    ///   - limit: only the first pictures of the sample.
    ///   - memo: also where indices of archives are kept.
    ///   - tell: gets a line for people when reading takes long.
    /// - Throws: `DataSetError`, `InputError`, `ArchiveError`.
    init(
        _ source: PictureSource, _ sampling: ImageSampling, limit: Int?, withMasks: Bool,
        onBadPicture: BadPictures, memo: InputMemo, tell: @escaping @Sendable (String) -> Void
    ) throws {
        let opened = Shared { try source.open(withMasks: withMasks, indices: memo.indices) }
        (self.source, self.opened, self.withMasks) = (source, opened, withMasks)
        let key = [
            source.set.rawValue, source.split ?? "", "\(sampling)", limit.map(String.init) ?? "", "\(withMasks)",
            onBadPicture.rawValue,
        ].joined(separator: "\n")
        list = try memo.value("pictures", of: source.files(), key: key) {
            let reading = ReadingProgress("\(source.set.rawValue): reading pictures", tell)
            return try PictureList(
                opened.value(), sampling, limit: limit, withMasks: withMasks, onBadPicture: onBadPicture,
                progress: reading.show)
        }
    }

    /// Adds the steps that bring the pictures to a square.
    /// - Parameter masks: how masks get there; nil for pictures without.
    /// - Throws: `PipelineError`.
    func images(_ preprocessing: ImagePreprocessing, masks: MaskGeometry?, label: String, in graph: inout Graph) throws -> ImageSource.Steps {
        let (list, opened, size, place) = (list, opened, preprocessing.geometry.size, source.place.path)
        let images = try graph.add(
            Step(
                kind: "pictures", label: label, version: 1,
                parameters: [
                    "preprocessing": .text(preprocessing.name), "masks": masks.map { .text($0.rawValue) } ?? .null,
                ],
                digests: ["pictures": list.digest], memory: Self.memory(size: size),
                work: .shards(
                    units: list.entries.count, unitsPerShard: Self.perShard,
                    makeWorker: { _ in
                        let pictures = try opened.value()
                        return { shard in
                            var result = ImageShard(imageSize: size)
                            for entry in list.entries[shard.units] {
                                let image = try pictures.image(entry)
                                let mask = try masks.map { geometry in
                                    try Self.mask(
                                        of: entry, in: pictures, at: place, geometry, image: image, square: preprocessing.geometry)
                                }
                                result.append(preprocessing(image), mask: mask, label: entry.label, objects: entry.objects)
                            }
                            return result
                        }
                    })))
        return ImageSource.Steps(
            images: images, facts: try ImageFactsStep.add(images, label: label, in: &graph), count: list.entries.count)
    }

    /// Pictures that are decoded and stored together.
    private static let perShard = 250

    /// A shard's pixels and masks stand in memory twice, beside one large picture.
    private static func memory(size: Int) -> MemoryEstimate {
        MemoryEstimate(shared: 100 << 20, perWorker: 2 * 4 * perShard * size * size + 200 << 20)
    }

    private static func mask(
        of entry: PictureList.Entry, in pictures: LabelledPictures, at place: String, _ geometry: MaskGeometry,
        image: RGBImage, square: SquareGeometry
    ) throws -> [UInt8] {
        guard let mask = try pictures.mask(entry) else {
            throw DataSetError.missingMask(path: place, picture: entry.id)
        }
        return try geometry.mask(
            mask.objects, width: mask.width, height: mask.height, image: (image.width, image.height), square: square,
            border: ObjectMask.ignored)
    }
}
