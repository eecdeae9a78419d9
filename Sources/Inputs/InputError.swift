/// What can be wrong with data that come from outside. Facts only; `runner` makes the words.
public enum InputError: Error, Equatable, Sendable {
    case missingFile(path: String, purpose: String)
    case malformedFile(path: String, place: String, expected: String)
    /// The font draws no colour bitmap for a concept that the catalogue names.
    case missingGlyph(path: String, codePoint: UInt32, name: String)
    /// FreeType refused a font, or an operation on it, with its own error code.
    case fontLibrary(path: String, operation: String, code: Int32)
    case imageNotWritten(path: String, reason: String)
    case imageNotRead(path: String, reason: String)
    /// The bytes of a picture that has this name are not read; the fault has the rest.
    case pictureRefused(name: String, fault: PictureFault)
    /// A label mask that has no pixels, or not as many as its image. Sizes are width and height.
    case maskOfAnotherSize(mask: [Int], image: [Int])
    case outOfRange(what: String, value: Int, allowed: ClosedRange<Int>)
    /// A recipe by which no scene can be made; `value` may be NaN.
    case recipeOutOfRange(key: String, value: Double, allowed: ClosedRange<Double>)
    /// A sample that is larger than its set.
    case sampleTooLarge(wanted: Int, available: Int)
    /// A sample of every k-th picture of a set that has fewer than k.
    case sampleTooSparse(every: Int, of: Int)
    case unknownSplit(name: String, known: [String])
    /// The generated or stored data are not those that the manifest names.
    case digestMismatch(dataset: String, what: String, expected: String, found: String)
    case unknownDataset(name: String, manifest: String, known: [String])
}
