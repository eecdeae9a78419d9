import Foundation
import Foundations

/// Similarities of phrases with classes, made elsewhere: a line a phrase, a column a class, tabs between them, the classes'
/// names in the first line after `phrase`.
public struct SimilarityFile: Sendable {
    public let url: URL
    /// SHA-256 of the text.
    public let digest: String
    public var name: String { url.lastPathComponent }
    private let classes: [String: Int]
    private let rows: [String: [Float]]

    /// 30 000 phrases and ten classes take 3 MB.
    private static let limit = 64 << 20

    /// - Throws: ``InputError``.
    public init(contentsOf url: URL) throws {
        let text = try TextFile.text(url, purpose: "similarities of phrases and classes", limit: Self.limit)
        func malformed(_ place: String, _ expected: String) -> InputError {
            .malformedFile(path: url.path, place: place, expected: expected)
        }
        var lines = TextLine.lines(of: text)[...]
        guard let header = lines.popFirst()?.text.components(separatedBy: "\t"), header.first == "phrase",
            header.count > 1
        else {
            throw malformed("line 1", "'phrase' and the names of classes, with tabs between them")
        }
        let names = Array(header.dropFirst())
        guard Set(names).count == names.count else { throw malformed("line 1", "each class once") }
        var rows: [String: [Float]] = [:]
        for line in lines {
            let fields = line.text.components(separatedBy: "\t")
            let values = fields.dropFirst().compactMap(Float.init).filter(\.isFinite)
            guard values.count == names.count, fields.count == header.count else {
                throw malformed(line.place, "a phrase and \(names.count) numbers, with tabs between them")
            }
            guard rows.updateValue(values, forKey: fields[0]) == nil else {
                throw malformed(line.place, "each phrase once, here is '\(fields[0])' again")
            }
        }
        (self.url, self.rows, digest) = (url, rows, Digest.sha256(of: Data(text.utf8)))
        classes = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    }

    /// - Throws: ``InputError/malformedFile(path:place:expected:)`` for a phrase or a class that is not there.
    public func values(of phrases: [String], with name: String) throws -> [Float] {
        guard let column = classes[name] else {
            throw InputError.malformedFile(
                path: url.path, place: "line 1", expected: "a column for the class '\(name)'")
        }
        return try phrases.map { phrase in
            guard let row = rows[phrase] else {
                throw InputError.malformedFile(
                    path: url.path, place: "the end", expected: "a line for the phrase '\(phrase)'")
            }
            return row[column]
        }
    }
}
