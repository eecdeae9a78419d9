import Foundations

/// A collection of pictures with the classes that a zero-shot classifier is to choose among.
public struct LabelledPictures: Sendable {
    public let collection: any ImageCollection
    /// In label order; what the classes are called in prompts.
    public let classNames: [String]
    /// Sentences with `{}` for the name of a class that come with the set; nil where it has none.
    public let templates: [String]?
    /// The class of a picture, or of its only kind of object; nil where there are several or none.
    private let labelOf: @Sendable (Int) -> Int?
    /// Labels of the collection by their place among `classNames`; nil: they are the same.
    private let places: [Int: Int]?
    /// Masks tell the object from the rest and not what it is.
    private let isForegroundOnly: Bool

    /// - Parameters:
    ///   - classNames: in the collection's own order; nil takes its names.
    ///   - templates: sentences that come with the set.
    init(_ collection: some ImageCollection, classNames: [String]? = nil, templates: [String]? = nil) {
        self.init(
            collection, classNames: classNames ?? collection.classNames, templates: templates, places: nil)
    }

    private init(
        _ collection: any ImageCollection, classNames: [String], templates: [String]? = nil, places: [Int: Int]?
    ) {
        self.collection = collection
        self.classNames = classNames
        self.templates = templates
        self.places = places
        labelOf = { collection.record($0).label }
        isForegroundOnly = false
    }

    /// The pictures of ImageNet-Segmentation show one object each, whose WordNet number may be one of ImageNet's classes.
    init(_ collection: ImageNetSegmentation, classes: ImageNetClasses) {
        let labels = Dictionary(
            classes.wnids.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        self.collection = collection
        classNames = classes.names
        templates = nil
        labelOf = { collection.wnid($0).flatMap { labels[$0] } }
        places = nil
        isForegroundOnly = true
    }

    /// The pictures, classified among the classes of which there are any: 200 of 1000 for ImageNet-R.
    func amongPresentClasses() -> LabelledPictures {
        let present = Set((0..<collection.count).flatMap { collection.record($0).labels }).sorted()
        return LabelledPictures(
            collection, classNames: present.map { classNames[$0] },
            places: Dictionary(
                present.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first }))
    }

    public var count: Int { collection.count }

    /// A picture of a list, decoded from the bytes that were listed.
    /// - Throws: what reading it throws; ``InputError/pictureRefused(name:fault:)``, ``DataSetError/changed(place:)``.
    public func image(_ entry: PictureList.Entry) throws -> RGBImage {
        let picture = try listed(entry) { try collection.picture(entry.index) }
        guard picture.digest == entry.digest else { throw DataSetError.changed(place: collection.place(entry.index)) }
        switch picture {
        case .encoded(let bytes): return try PictureDecoder.decode(bytes, name: collection.place(entry.index))
        case .pixels(let image): return image
        }
    }

    /// The mask of a picture of a list, as it was listed.
    /// - Returns: nil for a collection without masks.
    /// - Throws: as ``objects(_:)``; ``DataSetError/changed(place:)``.
    public func mask(_ entry: PictureList.Entry) throws -> ObjectMask? {
        guard let found = try listed(entry, { try objects(entry.index) }) else { return nil }
        guard found.labels == entry.objects, found.mask.digest == entry.maskDigest else {
            throw DataSetError.changed(place: "the mask of \(collection.place(entry.index))")
        }
        return found.mask
    }

    /// The set may have been listed by an earlier run, and opened again since.
    private func listed<Value>(_ entry: PictureList.Entry, _ body: () throws -> Value) throws -> Value {
        guard entry.index < count, collection.record(entry.index).id == entry.id else {
            throw DataSetError.changed(place: entry.id)
        }
        return try body()
    }

    /// - Precondition: `index` is in `0..<count`.
    public func label(_ index: Int) -> Int? { place(labelOf(index)) }

    /// All classes that a picture shows, its own first.
    public func labels(_ index: Int) -> [Int] {
        let label = label(index)
        let all = isForegroundOnly ? [] : collection.record(index).labels.compactMap(place)
        return (label.map { [$0] } ?? []) + all.filter { $0 != label }
    }

    private func place(_ label: Int?) -> Int? {
        guard let places else { return label }
        return label.flatMap { places[$0] }
    }

    /// The objects of a picture and where they are.
    /// - Returns: the classes in the order of the mask's numbers 1, 2, …, −1 for one that is none of the
    ///   classes; and the mask: 0 background, k the k-th object, 255 ignored. Nil for a collection without masks.
    /// - Throws: what reading the mask throws; ``DataSetError/tooManyObjects(picture:found:limit:)``,
    ///   ``DataSetError/maskOfOtherClasses(picture:label:shown:)``.
    public func objects(_ index: Int) throws -> (labels: [Int], mask: ObjectMask)? {
        guard let segmented = collection as? any SegmentedImages else { return nil }
        let mask = try segmented.mask(index)
        let shown = Set(mask.labels).subtracting([LabelMask.background, LabelMask.ignored]).sorted()
        let values: [(value: UInt16, label: Int)] =
            if isForegroundOnly {
                [(1, label(index) ?? -1)]
            } else {
                shown.map { ($0, place(Int($0) - 1) ?? -1) }
            }
        // The picture's own class first, so that the main object is always number 1, even where the mask shows nothing.
        let own = label(index) ?? (values.count == 1 ? values[0].label : nil)
        if let own, !values.isEmpty, !values.contains(where: { $0.label == own }) {
            throw DataSetError.maskOfOtherClasses(
                picture: collection.place(index), label: classNames[own],
                shown: values.map { $0.label < 0 ? "none of the classes" : classNames[$0.label] })
        }
        let main = values.first { $0.label == own } ?? own.map { (value: LabelMask.background, label: $0) }
        let ordered = (main.map { [$0] } ?? []) + values.filter { $0.label != own }
        guard ordered.count < Int(ObjectMask.ignored) else {
            throw DataSetError.tooManyObjects(
                picture: collection.record(index).id, found: ordered.count, limit: Int(ObjectMask.ignored) - 1)
        }
        return (ordered.map(\.label), ObjectMask(mask, values: ordered.map(\.value)))
    }
}

/// Which of a picture's objects each pixel shows.
public struct ObjectMask: Sendable, Equatable {
    /// A pixel that counts nowhere.
    public static let ignored = UInt8.max

    public let width: Int
    public let height: Int
    /// 0 background, k the k-th object, ``ignored``; row-major. // [height, width]
    public let objects: [UInt8]

    /// SHA-256 of the numbers.
    var digest: String { Digest.sha256(of: objects) }

    init(_ mask: LabelMask, values: [UInt16]) {
        (width, height) = (mask.width, mask.height)
        var numbers = [UInt8](repeating: 0, count: 1 << 16)
        for (index, value) in values.enumerated() where value != LabelMask.background {
            numbers[Int(value)] = UInt8(index + 1)
        }
        numbers[Int(LabelMask.ignored)] = Self.ignored
        objects = mask.labels.map { numbers[Int($0)] }
    }
}
