import Inputs

/// Which pictures.
public struct PictureSelection: Sendable {
    /// A folder or an archive.
    public var location: String
    /// The first so many, in the order of the bytes of their paths; nil for all.
    public var limit: Int?
    public var badPictures: BadPictures

    public init(location: String, limit: Int? = nil, badPictures: BadPictures = .fail) {
        self.location = location
        self.limit = limit
        self.badPictures = badPictures
    }
}
