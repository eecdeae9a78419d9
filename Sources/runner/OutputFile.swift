import Foundation

/// A file that a command writes.
enum OutputFile {
    /// Refuses to write over what is read.
    /// - Parameters:
    ///   - inputs: files and folders; nil for one that was not given.
    ///   - pictures: a folder or a file of pictures; what else lies in it is nobody's input.
    /// - Throws: ``Failure`` where the file is there and is an input, or lies in one.
    static func check(_ output: String, isNoneOf inputs: [String?], norIn pictures: String? = nil) throws {
        guard let file = realPath(output) else { return }
        let isPicture = ["png", "jpg", "jpeg"].contains(URL(fileURLWithPath: file).pathExtension.lowercased())
        for case let input? in inputs + [isPicture || realPath(pictures ?? "") == file ? pictures : nil] {
            guard let path = realPath(input), file == path || file.hasPrefix(path + "/") else { continue }
            throw Failure(
                .usage,
                file == path
                    ? "--output \(output) is \(input), which is read"
                    : "--output \(output) is a file of \(input), which is read",
                fix: "name another file with --output")
        }
    }

    /// Nil for what is not there.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
