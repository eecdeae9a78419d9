import Foundation

/// ImageNet-Segmentation: 4276 pictures of ImageNet with one foreground mask each, in `gtsegs_ijcv.mat`.
///
/// Guillaumin, Küttel, Ferrari, "ImageNet Auto-Annotation with Segmentation Propagation", IJCV 2014. A
/// MAT-file 7.3: `/value/img` and `/value/gt` are rows of cells, stored as references; a cell of `gt` is
/// itself a cell whose first element is the mask; `/value/id` holds names such as `n02690373_190`.
/// MATLAB stores columns first: a picture of H×W×3 is an HDF5 array of shape [3, W, H].
public struct ImageNetSegmentation: SegmentedImages {
    /// The masks' only class.
    public static let foreground = "foreground"

    public let classNames = [foreground]
    private let file: HDF5File
    private let pictures: [UInt64]
    private let masks: [UInt64]
    /// `n02690373_190`; empty where the file has no names.
    private let names: [String]

    /// Pixels a side beyond which no picture is read.
    private static let largest = 1 << 14
    private static let pictureBytes = FileLimit.picture

    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/malformedFile(path:place:expected:)``,
    ///   ``DataSetError``.
    public init(_ url: URL) throws {
        let file = try HDF5File(
            path: url.path, purpose: "the pictures and masks of ImageNet-Segmentation, gtsegs_ijcv.mat")
        pictures = try Self.cells(file.object("value", "img"), of: file, place: "/value/img")
        masks = try Self.cells(file.object("value", "gt"), of: file, place: "/value/gt")
        guard !pictures.isEmpty else { throw DataSetError.empty(path: url.path, expected: "pictures in /value/img") }
        guard pictures.count == masks.count else {
            throw DataSetError.pictureCount(path: url.path, found: masks.count, expected: pictures.count)
        }
        var names: [String] = []
        if let cells = try? Self.cells(file.object("value", "id"), of: file, place: "/value/id"),
            cells.count == pictures.count
        {
            names = try cells.enumerated().map {
                try Self.text(file.object(at: $1), of: file, place: "/value/id, cell \($0 + 1)")
            }
        }
        (self.file, self.names) = (file, names)
    }

    public var count: Int { pictures.count }

    /// The WordNet number of the object, such as `n02690373`; nil where the file does not say.
    public func wnid(_ index: Int) -> String? {
        names.isEmpty ? nil : names[index].split(separator: "_").first.map(String.init)
    }

    public func record(_ index: Int) -> ImageRecord {
        // That names are unique is nowhere promised.
        ImageRecord(id: names.isEmpty ? String(index + 1) : "\(index + 1)/\(names[index])", labels: [0])
    }

    public func picture(_ index: Int) throws -> StoredPicture {
        let place = "/value/img, cell \(index + 1)"
        let (width, height) = try size(index, place: place)
        let stored = try file.object(at: pictures[index]).contents(limit: Self.pictureBytes)
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        for channel in 0..<3 {
            for column in 0..<width {
                let start = (channel * width + column) * height
                for row in 0..<height { pixels[(row * width + column) * 3 + channel] = stored.bytes[start + row] }
            }
        }
        return .pixels(RGBImage(width: width, height: height, pixels: pixels))
    }

    public func mask(_ index: Int) throws -> LabelMask {
        let place = "/value/gt, cell \(index + 1)"
        guard let first = try Self.cells(file.object(at: masks[index]), of: file, place: place).first else {
            throw DataSetError.missingMask(path: file.path, picture: record(index).id)
        }
        let stored = try file.object(at: first).contents(limit: Self.pictureBytes)
        guard stored.shape.count == 2, stored.count > 0 else { throw malformed(place, "a matrix") }
        let (width, height) = (stored.shape[0], stored.shape[1])
        var mask = LabelMask(width: width, height: height)
        for column in 0..<width {
            for row in 0..<height {
                guard let label = stored.small(column * height + row), label <= 1 else {
                    throw DataSetError.labelOutOfRange(
                        path: file.path, place: "\(place), row \(row), column \(column)",
                        label: stored.small(column * height + row).map(Int.init) ?? -1, classes: 1)
                }
                mask.labels[row * width + column] = label
            }
        }
        let size = try size(index, place: "/value/img, cell \(index + 1)")
        return try mask.checked(width: size.width, height: size.height, path: file.path, id: record(index).id)
    }

    /// Width and height of a picture in pixels, by its header.
    private func size(_ index: Int, place: String) throws -> (width: Int, height: Int) {
        let (shape, type) = try file.object(at: pictures[index]).header()
        guard shape.count == 3, shape[0] == 3, type.kind == .unsigned, type.size == 1, shape[1] > 0, shape[2] > 0 else {
            throw malformed(place, "8-bit numbers of height × width × 3, here is \(shape.reversed())")
        }
        guard shape[1] <= Self.largest, shape[2] <= Self.largest else {
            throw InputError.outOfRange(
                what: "a side of \(place)", value: max(shape[1], shape[2]), allowed: 1...Self.largest)
        }
        return (shape[1], shape[2])
    }

    private func malformed(_ place: String, _ expected: String) -> InputError {
        .malformedFile(path: file.path, place: place, expected: expected)
    }

    /// The objects in a cell array.
    private static func cells(_ object: HDF5Object, of file: HDF5File, place: String) throws -> [UInt64] {
        guard let cells = try object.contents(limit: FileLimit.picture).references else {
            throw InputError.malformedFile(path: file.path, place: place, expected: "a cell array")
        }
        return cells
    }

    /// A row of characters, which MATLAB stores as 16-bit numbers.
    private static func text(_ object: HDF5Object, of file: HDF5File, place: String) throws -> String {
        let characters = try object.contents(limit: 1 << 12)
        let units = (0..<characters.count).compactMap(characters.small)
        guard units.count == characters.count, let text = String(validating: units, as: UTF16.self) else {
            throw InputError.malformedFile(path: file.path, place: place, expected: "characters")
        }
        return text
    }
}

extension PictureSet {
    public static let imageNetSegmentation = PictureSet(
        "imagenet-segmentation", hasMasks: true, hasImageNetClasses: true,
        parts: { _ in
            [Part("pictures", ["gtsegs_ijcv.mat"], "the pictures and masks of ImageNet-Segmentation")]
        },
        open: { LabelledPictures(try ImageNetSegmentation($0.url("pictures")), classes: try $0.imageNetClasses()) })
}
