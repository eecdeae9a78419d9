import Archives
import Foundation

/// The pictures of a folder or an archive, whatever they show, in the order of the bytes of their paths.
///
/// A picture is what is called one: files of formats that are not read here are in the list too, so that
/// whoever decodes them can say which they are; other files are left out.
struct PictureFiles: ImageCollection {
    private let files: any FileCollection
    private let pictures: [Int]

    init(_ files: any FileCollection) {
        self.files = files
        pictures = files.files().filter { PictureFile.isPicture(files.path(of: $0)) }
    }

    /// Nothing is known of what they show.
    var classNames: [String] { [] }
    var count: Int { pictures.count }
    func record(_ index: Int) -> ImageRecord { ImageRecord(id: files.path(of: pictures[index]), labels: []) }
    func picture(_ index: Int) throws -> StoredPicture { try files.picture(pictures[index]) }
    func place(_ index: Int) -> String { files.place(of: pictures[index]) }
}

extension PictureSource {
    /// All pictures of a folder or an archive, of which nothing else is known; no spec names such a set.
    /// - Throws: ``DataSetError/notThere(set:place:expected:purpose:)``.
    public init(pictures place: URL) throws {
        let set = PictureSet(
            "pictures", isReaders: true, place: .anywhere, parts: { _ in [.init("pictures", ["."], "pictures")] },
            open: { LabelledPictures(PictureFiles(try $0.files("pictures"))) })
        // Neither a folder of data nor ImageNet's names are asked for.
        try self.init(set, split: nil, path: place, data: place, classes: .init(wnids: place, names: place))
    }
}
