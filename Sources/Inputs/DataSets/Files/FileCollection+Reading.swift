import Archives
import Foundation

/// The largest files that readers of data sets take, in bytes.
enum FileLimit {
    /// A picture or a mask. ImageNet's largest JPEG has 15 MB.
    static let picture = 64 << 20
    /// A list of names or labels, an annotation of one picture, a table of a few million lines.
    static let text = 256 << 20
    /// Annotations of a whole set: `instances_train2017.json` has 450 MB.
    static let annotations = 1 << 30
}

extension FileCollection {
    /// - Throws: ``DataSetError/tooLarge(path:place:bytes:limit:)``, `ArchiveError`.
    func contents(of file: Int, limit: Int) throws -> [UInt8] {
        let bytes = try size(of: file)
        guard bytes <= limit else {
            throw DataSetError.tooLarge(path: location, place: path(of: file), bytes: bytes, limit: limit)
        }
        return try contents(of: file)
    }

    /// The file of a picture.
    func picture(_ file: Int) throws -> StoredPicture {
        .encoded(Data(try contents(of: file, limit: FileLimit.picture)))
    }

    /// The lines of a text file.
    func lines(_ file: Int) throws -> [TextLine] {
        let bytes = try contents(of: file, limit: FileLimit.text)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InputError.malformedFile(path: place(of: file), place: "whole file", expected: "UTF-8 text")
        }
        return TextLine.lines(of: text)
    }

    /// How a file is called in an error.
    func place(of file: Int) -> String { location + "/" + path(of: file) }

    /// Several files in one pass, in the order in which they lie.
    /// - Returns: the bytes by file number.
    func contents(of wanted: [Int], limit: Int) throws -> [Int: [UInt8]] {
        let wanted = Set(wanted)
        var result: [Int: [UInt8]] = [:]
        var total = 0
        for file in wanted {
            total += try size(of: file)
            guard total <= limit else {
                throw DataSetError.tooLarge(path: location, place: path(of: file), bytes: total, limit: limit)
            }
        }
        try forEach(where: wanted.contains) { result[$0] = $1 }
        return result
    }
}

/// A line of a text file, without its end, and its number from 1.
struct TextLine {
    let number: Int
    let text: Substring

    /// Empty lines at the end of the text are left out.
    static func lines(of text: String) -> [TextLine] {
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.enumerated().map { TextLine(number: $0.offset + 1, text: $0.element) }
    }

    /// For errors.
    var place: String { "line \(number)" }
}

extension String {
    /// Order by bytes, which is Python's order by code points; Swift's `<` orders by canonical equivalence.
    func precedesByBytes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension Sequence<String> {
    func sortedByBytes() -> [String] { sorted { $0.precedesByBytes($1) } }
}

/// A text file that lies by itself, not in a data set's archive.
enum TextFile {
    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/malformedFile(path:place:expected:)``.
    static func text(_ url: URL, purpose: String, limit: Int = FileLimit.text) throws -> String {
        let data = try InputError.contents(of: url, purpose: purpose, limit: limit)
        guard let text = String(data: data, encoding: .utf8) else {
            throw InputError.malformedFile(path: url.path, place: "whole file", expected: "UTF-8 text")
        }
        return text
    }

    /// - Throws: as ``text(_:purpose:limit:)``.
    static func lines(_ url: URL, purpose: String) throws -> [TextLine] {
        TextLine.lines(of: try text(url, purpose: purpose))
    }
}
