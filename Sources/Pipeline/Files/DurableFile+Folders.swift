import Foundation

extension DurableFile {
    /// Makes a folder and those above it.
    /// - Throws: `PipelineError.saveFailed`.
    static func createFolder(_ url: URL) throws {
        if mkdir(url.path, 0o777) == 0 { return }
        switch errno {
        case EEXIST:
            var status = stat()
            guard stat(url.path, &status) == 0 else { throw failure(errno, url) }
            guard status.st_mode & S_IFMT == S_IFDIR else { throw failure(ENOTDIR, url) }
        case ENOENT where url.pathComponents.count > 1:
            try createFolder(url.deletingLastPathComponent())
            guard mkdir(url.path, 0o777) == 0 || errno == EEXIST else { throw failure(errno, url) }
        default:
            throw failure(errno, url)
        }
    }

    /// Checks that files can be made in a folder.
    /// - Throws: `PipelineError.saveFailed`.
    static func probe(_ folder: URL) throws {
        let url = folder.appendingPathComponent(
            "\(temporaryPrefix)\(ProcessIdentity.current.attempt)-probe")
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(errno, folder) }
        close(descriptor)
        unlink(url.path)
    }

    /// Removes a file, if it is there.
    /// - Throws: `PipelineError.saveFailed`.
    static func remove(_ url: URL) throws {
        guard unlink(url.path) == 0 || errno == ENOENT || errno == ENOTDIR else {
            throw failure(errno, url)
        }
    }

    /// Removes a folder with the files in it, if it is there. It stays where another process puts a file into it
    /// meanwhile: a second copy of a task, which came too late.
    /// - Throws: `PipelineError.saveFailed`.
    static func removeFolder(_ url: URL) throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: url.path) else {
            return
        }
        for name in names { try remove(url.appendingPathComponent(name)) }
        guard rmdir(url.path) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST else { throw failure(errno, url) }
    }

    /// Removes incomplete files.
    /// - Throws: `PipelineError.saveFailed`.
    static func removeTemporaries(in folder: URL, recursively: Bool) throws {
        let options: FileManager.DirectoryEnumerationOptions =
            recursively ? [] : .skipsSubdirectoryDescendants
        let files = FileManager.default.enumerator(
            at: folder, includingPropertiesForKeys: nil, options: options)
        for case let url as URL in files ?? .init()
        where url.lastPathComponent.hasPrefix(temporaryPrefix) {
            try remove(url)
        }
    }
}
