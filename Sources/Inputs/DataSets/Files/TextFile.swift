import Foundation

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
