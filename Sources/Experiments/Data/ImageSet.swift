/// A set of images as rows, predictions and messages call it.
public struct ImageSet: Sendable, Equatable {
    public let dataset: String
    /// The part of the data set, and how it was sampled; empty for all of it.
    public let split: String
    /// Whether it is a set that others publish, and not one of the reader's own that is called like it.
    let isPublished: Bool
    /// Pictures that could not be read and were left out.
    let skipped: Int
    /// Ids that the data set gives its images; nil numbers them.
    private let ids: [String]?

    init(dataset: String, split: String, isPublished: Bool = false, skipped: Int = 0, ids: [String]? = nil) {
        (self.dataset, self.split, self.isPublished, self.skipped, self.ids) = (
            dataset, split, isPublished, skipped, ids
        )
    }

    /// What it is called as a setting: a set of the reader's own is not the published one that it is called like.
    var setting: String { isPublished ? name : "\(name), not published" }

    /// `imagenet-val/random 5000`
    public var name: String { split.isEmpty ? dataset : "\(dataset)/\(split)" }

    /// Name of an image in every run and on every machine: `imagenet-val/ILSVRC2012_val_00000001.JPEG`,
    /// `emoji-scenes/val/17`.
    public func imageID(_ index: Int) -> String {
        ids.map { "\(dataset)/\($0[index])" } ?? "\(name)/\(index)"
    }
}
