import Foundation
import Foundations

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

extension InputError {
    /// Opens and reads a file that lies by itself.
    /// - Throws: ``missingFile(path:purpose:)``; ``malformedFile(path:place:expected:)`` for what is no regular file or cannot
    ///   be read; what `body` throws.
    static func reading<Value>(_ url: URL, purpose: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch FileFault.missing {
            throw InputError.missingFile(path: url.path, purpose: purpose)
        } catch let fault as FileFault {
            throw InputError.malformedFile(
                path: url.path, place: "whole file", expected: "a file that can be read (\(fault.text))")
        }
    }

    /// - Parameter limit: in bytes.
    /// - Throws: as ``reading(_:purpose:_:)``.
    static func contents(of url: URL, purpose: String, limit: Int = FileLimit.text) throws -> Data {
        try reading(url, purpose: purpose) { try RegularFile.contents(of: url.path, limit: limit) }
    }
}

extension Digest {
    /// The digest of a file that lies by itself, read in pieces.
    /// - Throws: ``InputError``.
    public static func sha256(ofFile url: URL, purpose: String) throws -> String {
        try InputError.reading(url, purpose: purpose) { try sha256(of: RegularFile(url.path)) }
    }
}
