import Foundation

/// Class names and the sentences they stand in, from which a zero-shot classifier is made.
public struct PromptSet: Sendable, Equatable {
    /// In label order.
    public let classNames: [String]
    /// Each with `{}` where the name stands.
    public let templates: [String]

    /// Where a template has the name.
    static let placeholder = "{}"
    /// Bytes of a file; ImageNet's names have 15 KB.
    private static let limit = 16 << 20

    /// - Parameters:
    ///   - classNames: a text file with a name a line.
    ///   - templates: a text file with a sentence a line.
    /// - Throws: ``InputError``, ``DataSetError/noLines(path:expected:)``.
    public init(classNames: URL, templates: URL) throws {
        self.classNames = try Self.classNames(classNames)
        self.templates = try Self.templates(templates)
    }

    /// - Throws: ``InputError``, ``DataSetError/noLines(path:expected:)``.
    public static func classNames(_ url: URL) throws -> [String] { try lines(url, expected: "the name of a class") }

    /// - Throws: ``InputError``, ``DataSetError/noLines(path:expected:)``.
    public static func templates(_ url: URL) throws -> [String] {
        let templates = try lines(url, expected: "a sentence with \(placeholder) for the name of a class")
        for (index, template) in templates.enumerated() where template.components(separatedBy: placeholder).count != 2 {
            throw InputError.malformedFile(
                path: url.path, place: "line \(index + 1)",
                expected: "a sentence with one \(placeholder) for the name of a class")
        }
        return templates
    }

    /// Texts that stand for themselves.
    /// - Parameter url: a text file with a text a line.
    /// - Throws: ``InputError``, ``DataSetError/noLines(path:expected:)``.
    public static func texts(_ url: URL) throws -> [String] { try lines(url, expected: "a text") }

    /// The sentences for a class.
    public func sentences(_ label: Int) -> [String] {
        templates.map { $0.replacingOccurrences(of: Self.placeholder, with: classNames[label]) }
    }

    private static func lines(_ url: URL, expected: String) throws -> [String] {
        let text = try TextFile.text(url, purpose: "the words of a zero-shot classifier", limit: limit)
        let lines = TextLine.lines(of: text)
        guard !lines.isEmpty else { throw DataSetError.noLines(path: url.path, expected: expected) }
        return try lines.map { line in
            let words = line.text.trimmingCharacters(in: .whitespaces)
            guard !words.isEmpty else {
                throw InputError.malformedFile(path: url.path, place: line.place, expected: expected)
            }
            return words
        }
    }
}
