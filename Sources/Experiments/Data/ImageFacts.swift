import Pipeline

/// What is known of the images of a set, without their pixels.
struct ImageFacts: ColumnTable, Equatable {
    /// Class of the image, or of its main object; −1 where there is no one class. // [count]
    private(set) var labels: [Int32] = []
    /// Classes of all objects that an image shows, the main one first; −1 for one that is none of the classes.
    /// A mask's number k is the k-th. // [count][objects]
    private(set) var objects: [[Int32]] = []
    private(set) var captions: [String] = []
    /// Digest of each image's pixels: its identity, wherever it stands. // [count]
    private(set) var digests: [String] = []

    var count: Int { labels.count }

    static let columns: [Column<Self>] = [
        .rows("labels", \.labels), .lists("objects", \.objects), .texts("captions", \.captions),
        .texts("digests", \.digests),
    ]

    /// Those of one image.
    struct One {
        let label: Int32
        let objects: [Int32]
        let caption: String
    }

    subscript(_ index: Int) -> One { One(label: labels[index], objects: objects[index], caption: captions[index]) }

    /// Adds one image.
    mutating func append(label: Int32, objects: [Int32], caption: String, digest: String) {
        labels.append(label)
        self.objects.append(objects)
        captions.append(caption)
        digests.append(digest)
    }
}
