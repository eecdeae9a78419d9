import Archives
import Foundation

/// A set of pictures that a spec can name.
///
/// A set is a value in the file of its format and one entry in ``all``: what it is called, where its files lie, what it
/// has, and how it is opened.
public struct PictureSet: Sendable {
    /// As specs call it.
    public let name: String
    /// The folder of its files in the folder of data; nil for the reader's own pictures, which lie anywhere.
    public let folder: String?
    /// The parts of which a spec names one; empty where the set has no parts.
    public let splits: [String]
    /// Whether each pixel of its pictures is labelled.
    public let hasMasks: Bool
    /// Whether nothing but masks says what its pictures show.
    public let isLabelledByMasksOnly: Bool
    /// Whether its classes are those of ImageNet, which zero-shot classifiers call by curated names.
    public let hasImageNetClasses: Bool
    /// What the path of the reader's own pictures is of.
    let place: Place
    /// What opening a split needs.
    let parts: @Sendable (_ split: String?) -> [Part]
    /// Reads the set's annotations, no picture.
    let open: @Sendable (SetFiles) throws -> LabelledPictures
    /// Files beside the parts that decide what the pictures are.
    let otherFiles: @Sendable (PictureSource) throws -> [URL]

    enum Place: Sendable {
        /// A folder or an archive.
        case folder
        /// A file of rows.
        case table
        /// Whatever there is; what it is, is found out when it is opened.
        case anywhere
    }

    /// One of the files or folders that a set is made of.
    struct Part: Sendable {
        /// As the set asks for it.
        var key: String
        /// Names in the set's folder, of which the first that is there is taken; `.` for the folder itself.
        var names: [String]
        var purpose: String
        var isOptional = false
        /// Also looked for in this folder beside the set's.
        var neighbour: String?

        init(_ key: String, _ names: [String], _ purpose: String, isOptional: Bool = false, neighbour: String? = nil) {
            (self.key, self.names, self.purpose) = (key, names, purpose)
            (self.isOptional, self.neighbour) = (isOptional, neighbour)
        }
    }

    /// - Parameters:
    ///   - folder: in the folder of data; nil: called like the set.
    ///   - isReaders: whether its files are the reader's own, which lie anywhere.
    init(
        _ name: String, folder: String? = nil, isReaders: Bool = false, splits: [String] = [], hasMasks: Bool = false,
        isLabelledByMasksOnly: Bool = false, hasImageNetClasses: Bool = false, place: Place = .folder,
        parts: @escaping @Sendable (_ split: String?) -> [Part],
        otherFiles: @escaping @Sendable (PictureSource) throws -> [URL] = { _ in [] },
        open: @escaping @Sendable (SetFiles) throws -> LabelledPictures
    ) {
        (self.name, self.folder, self.splits) = (name, isReaders ? nil : folder ?? name, splits)
        (self.hasMasks, self.isLabelledByMasksOnly) = (hasMasks, isLabelledByMasksOnly)
        (self.hasImageNetClasses, self.place) = (hasImageNetClasses, place)
        (self.parts, self.open, self.otherFiles) = (parts, open, otherFiles)
    }

    /// In the order of the documents.
    public static let all: [PictureSet] = [
        .imageNetTrain, .imageNetValidation, .imageNetR, .imageNetSegmentation, .imageNetS50, .imageNetS300,
        .imageNetS919, .cifar10, .cifar100, .voc2012, .pascalContext, .coco2017Train, .coco2017Validation,
        .classFolders, .imageTable, .imageMaskPairs, .webDataset,
    ]

    /// - Returns: nil where no set has the name.
    public static func named(_ name: String) -> PictureSet? { all.first { $0.name == name } }
}

extension PictureSet: Hashable {
    public static func == (a: PictureSet, b: PictureSet) -> Bool { a.name == b.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// The files of a set that is being opened.
struct SetFiles: Sendable {
    let source: PictureSource
    /// Take the pictures that have masks.
    let withMasks: Bool
    /// Where indices of archives are kept; nil keeps none.
    let indices: IndexedArchive.Shelf?

    var split: String { source.split ?? "" }

    /// The file or folder of a part; nil where an optional one is missing.
    func found(_ key: String) -> URL? { source.found[key] }

    /// - Precondition: the part is not optional, or is there.
    func url(_ key: String) -> URL {
        guard let url = found(key) else { preconditionFailure("part \(key) is optional, and asked for first") }
        return url
    }

    /// - Precondition: the part is not optional, or is there.
    /// - Throws: `ArchiveError`, ``InputError``.
    func files(_ key: String) throws -> any FileCollection { try IndexedArchive.open(url(key), indices: indices) }

    func imageNetClasses() throws -> ImageNetClasses {
        try ImageNetClasses(wnids: source.classes.wnids, names: source.classes.names)
    }

    /// The error for an optional part without which this set cannot be opened after all.
    func missing(_ key: String) -> DataSetError {
        let part = source.set.parts(source.split).first { $0.key == key }
        return .notThere(
            set: source.set.name, place: source.place.path, expected: part?.names ?? [], purpose: part?.purpose ?? "")
    }
}
