import Pickle

/// What can be wrong with a data set whose files can be read. Facts only; `runner` makes the words.
///
/// `path` is the archive, folder or file that says so, `place` where in it: a line, a key, an index or
/// the name of a picture.
public enum DataSetError: Error, Equatable, Sendable {
    /// A file of a set is not where the set was looked for: any of the `expected` names in `place`, or
    /// `place` itself where there are none.
    case notThere(set: String, place: String, expected: [String], purpose: String)
    case empty(path: String, expected: String)
    case labelOutOfRange(path: String, place: String, label: Int, classes: Int)
    /// A class that is not among those of the set, by its name or wnid.
    case unknownClass(path: String, place: String, name: String)
    case classCount(path: String, found: Int, expected: Int)
    case pictureListedTwice(path: String, place: String, picture: String)
    case missingPicture(path: String, place: String, picture: String)
    case missingMask(path: String, picture: String)
    /// An annotation of a picture that the set does not have.
    case unknownPicture(path: String, place: String, picture: String)
    /// Sizes are width and height.
    case maskOfAnotherSize(path: String, picture: String, mask: [Int], image: [Int])
    /// A folder, or a file that is no archive, where the reader's own set is the other.
    /// - Parameter fitting: the kinds of sets that are made of what was found.
    case otherKindOfPlace(set: String, path: String, isFolder: Bool, fitting: [String])
    /// A file that a set has to have, by its path in the set's archive or folder.
    case missingFile(path: String, file: String, purpose: String)
    /// A file of lines without any.
    case noLines(path: String, expected: String)
    /// The number of pictures and the number of labels for them differ.
    case pictureCount(path: String, found: Int, expected: Int)
    /// A path of a table that leads out of the table's folder.
    case pathOutside(path: String, place: String, picture: String)
    /// A pickle that asks for more than arrays, lists and names, or is damaged.
    case unreadablePickle(path: String, PickleError)
    /// A mask that shows classes, and among them not the one that its picture is said to show.
    case maskOfOtherClasses(picture: String, label: String, shown: [String])
    /// More kinds of objects in one picture than its mask can number.
    case tooManyObjects(picture: String, found: Int, limit: Int)
    /// A picture or its mask that is not what it was when the set was listed.
    case changed(place: String)
    /// More bytes than the reader of this kind of file takes.
    case tooLarge(path: String, place: String, bytes: Int, limit: Int)
}
