import Foundation

/// Reads files of strangers: never waits for a pipe, never follows a device, never fills the memory.
enum RegularFile {
    enum Fault: Error, Equatable {
        case missing
        case isALink
        case notARegularFile
        case tooLarge(bytes: Int, limit: Int)
        case system(errno: Int32)

        /// For the `reason` of an error that names the file.
        var text: String {
            switch self {
            case .missing: "there is no such file"
            case .isALink: "a symbolic link"
            case .notARegularFile: "not a regular file"
            case .tooLarge(let bytes, let limit): "\(bytes) bytes, more than \(limit)"
            case .system(let errno): String(cString: strerror(errno))
            }
        }
    }

    /// - Parameters:
    ///   - limit: in bytes; a larger file is refused before it is read.
    ///   - followsLinks: false refuses a path whose last part is a symbolic link.
    static func contents(of path: String, limit: Int, followsLinks: Bool = true) throws(Fault) -> Data {
        // Without O_NONBLOCK the opening of a named pipe waits for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: throw .missing
            case ELOOP: throw .isALink
            default: throw .system(errno: errno)
            }
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile }
        guard status.st_size <= limit else { throw .tooLarge(bytes: Int(status.st_size), limit: limit) }
        var data = Data(count: Int(status.st_size))
        var filled = 0
        while filled < data.count {
            let count = data.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(errno: errno) }
            // The file became shorter meanwhile.
            if count == 0 { break }
            filled += count
        }
        return data.prefix(filled)
    }
}
