import Foundation

/// A folder that is open: what is below it is reached from here, name by name, and never by a link.
final class OpenFolder {
    /// A file that is open for writing. Whoever asks for it closes it.
    struct File {
        let descriptor: Int32
        /// As errors call it.
        let url: URL

        func write(_ data: Data) throws {
            try data.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = Foundation.write(
                        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count >= 0 else { throw OutputError.failure(errno, url) }
                    rest = rest.dropFirst(count)
                }
            }
        }

        func sync() throws {
            guard fsync(descriptor) == 0 else { throw OutputError.failure(errno, url) }
        }
    }

    let descriptor: Int32
    private let url: URL
    private let status: stat
    /// Who owns the folder that the caller named.
    private let owner: uid_t

    /// Takes over a descriptor of the folder that the caller named.
    init(_ descriptor: Int32, _ url: URL) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw OutputError.failure(code, url)
        }
        (self.descriptor, self.url, self.status, owner) = (descriptor, url, status, status.st_uid)
    }

    private init(descriptor: Int32, url: URL, status: stat, owner: uid_t) {
        (self.descriptor, self.url, self.status, self.owner) = (descriptor, url, status, owner)
    }

    deinit { close(descriptor) }

    private func file(_ name: String) -> URL { url.appendingPathComponent(name, isDirectory: false) }

    /// Nil where there is nothing of the name.
    private func status(_ name: String) throws -> stat? {
        var status = stat()
        if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        guard errno == ENOENT else { throw OutputError.failure(errno, file(name)) }
        return nil
    }

    /// - Throws: ``OutputError/refused(path:_:)`` where there is something of the name that is not to be written over.
    func check(_ name: String) throws {
        guard let status = try status(name) else { return }
        let refusal: OutputError.Refusal? =
            switch status.st_mode & S_IFMT {
            case S_IFLNK: .link
            case S_IFREG:
                OutputFolder.isStrangers(status, in: self.status, of: owner) ? .strangers(user: status.st_uid) : nil
            default: .notARegularFile
            }
        if let refusal { throw OutputError.refused(path: file(name).path, refusal) }
    }

    /// - Parameter makes: makes the folder where there is none.
    /// - Throws: ``OutputError``.
    func folder(_ name: String, makes: Bool) throws -> OpenFolder {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var found = openat(descriptor, name, flags)
        if found < 0, errno == ENOENT, makes {
            guard mkdirat(descriptor, name, 0o777) == 0 || errno == EEXIST else {
                throw OutputError.failure(errno, file(name))
            }
            found = openat(descriptor, name, flags)
        }
        guard found >= 0 else {
            let code = errno
            guard let status = try status(name) else { throw OutputError.failure(code, file(name)) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: throw OutputError.failure(code, file(name))
            case S_IFLNK: throw OutputError.refused(path: file(name).path, .link)
            default: throw OutputError.refused(path: file(name).path, .notAFolder)
            }
        }
        var status = stat()
        let code = fstat(found, &status) == 0 ? 0 : errno
        let folder = OpenFolder(descriptor: found, url: file(name), status: status, owner: owner)
        guard code == 0 else { throw OutputError.failure(code, file(name)) }
        guard !OutputFolder.isStrangers(status, in: self.status, of: owner) else {
            throw OutputError.refused(path: file(name).path, .strangers(user: status.st_uid))
        }
        return folder
    }

    /// Makes a file that was not there.
    func new(_ name: String) throws -> File {
        let made = openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard made >= 0 else { throw OutputError.failure(errno, url) }
        return File(descriptor: made, url: file(name))
    }

    /// Opens a file to read and write in place.
    func shared(_ name: String, makes: Bool) throws -> Int32 {
        try check(name)
        let found = openat(
            descriptor, name, O_RDWR | (makes ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0o666)
        guard found >= 0 else { throw OutputError.failure(errno, file(name)) }
        var status = stat()
        guard fstat(found, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1 else {
            close(found)
            throw OutputError.refused(path: file(name).path, status.st_nlink > 1 ? .severalNames : .notARegularFile)
        }
        return found
    }

    /// Has `body` make a file under a temporary name, and gives it its own.
    func replace(_ name: String, _ body: (String) throws -> Void) throws {
        try check(name)
        let temporary = OutputFolder.newTemporaryName(for: name)
        do {
            try body(temporary)
            guard renameat(descriptor, temporary, descriptor, name) == 0 else {
                throw OutputError.failure(errno, file(name))
            }
        } catch {
            unlinkat(descriptor, temporary, 0)
            // The name that the caller knows, not the one it had for a moment.
            guard case OutputError.saveFailed(_, let errno, let freeBytes) = error else { throw error }
            throw OutputError.saveFailed(path: file(name).path, errno: errno, freeBytes: freeBytes)
        }
        // Some file systems cannot sync a folder and say so with EINVAL.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw OutputError.failure(errno, url) }
    }

    func remove(_ name: String) throws {
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw OutputError.failure(errno, file(name))
        }
    }

    /// Removes a folder with all that is in it, and of a link the link.
    func removeFolder(_ name: String) throws {
        guard let status = try status(name) else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else { return try remove(name) }
        let folder = try folder(name, makes: false)
        for (name, isFolder) in try folder.names() {
            if isFolder { try folder.removeFolder(name) } else { try folder.remove(name) }
        }
        guard unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || [ENOENT, ENOTEMPTY, EEXIST].contains(errno) else {
            throw OutputError.failure(errno, file(name))
        }
    }

    /// Removes the files that killed writers left incomplete.
    func removeTemporaries(recursively: Bool) throws {
        for (name, isFolder) in try names() {
            if isFolder {
                if recursively { try folder(name, makes: false).removeTemporaries(recursively: true) }
            } else if OutputFolder.isTemporary(name) {
                try remove(name)
            }
        }
    }

    /// What is in the folder; names that are not UTF-8 are none of ours.
    private func names() throws -> [(name: String, isFolder: Bool)] {
        let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0, let stream = fdopendir(own) else {
            let code = errno
            if own >= 0 { close(own) }
            throw OutputError.failure(code, url)
        }
        defer { closedir(stream) }
        var found: [(String, Bool)] = []
        while let entry = readdir(stream) {
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard let name = String(validating: bytes, as: UTF8.self), name != ".", name != ".." else { continue }
            // Some file systems leave the kind of an entry to fstatat.
            let isFolder =
                Int32(entry.pointee.d_type) == Int32(DT_UNKNOWN)
                ? try status(name).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
                : Int32(entry.pointee.d_type) == Int32(DT_DIR)
            found.append((name, isFolder))
        }
        return found
    }
}
