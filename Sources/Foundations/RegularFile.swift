import Foundation

/// Why a path was not opened as a regular file, or not read.
public enum FileFault: Error, Equatable, Sendable {
    case missing
    case isALink
    case isAFolder
    /// A pipe, a socket or a device.
    case notARegularFile
    case tooLarge(bytes: Int, limit: Int)
    case system(errno: Int32)

    /// The fault behind `errno` of a call that opens or reads.
    public init(errno: Int32) {
        self =
            switch errno {
            case ENOENT, ENOTDIR: .missing
            case ELOOP: .isALink
            case EISDIR: .isAFolder
            // A socket, or a device without a driver.
            case ENXIO, ENODEV: .notARegularFile
            default: .system(errno: errno)
            }
    }

    /// For a message that names the file.
    public var text: String {
        switch self {
        case .missing: "there is no such file"
        case .isALink: "a symbolic link"
        case .isAFolder: "a folder"
        case .notARegularFile: "a pipe, a socket or a device, not a regular file"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes, more than \(limit)"
        case .system(let errno): String(cString: strerror(errno))
        }
    }
}

/// A regular file that is open for reading, from any thread.
///
/// Every input goes through here, because inputs come from strangers: opening never waits for the writer of a pipe, no
/// device is read, and nothing is read beyond what the caller allows.
public final class RegularFile: Sendable {
    public let path: String
    /// In bytes, when the file was opened.
    public let size: Int
    package let descriptor: Int32
    /// When the file was opened.
    package let status: stat

    /// - Parameter followsLinks: false refuses a path whose last part is a symbolic link.
    public init(_ path: String, followsLinks: Bool = true) throws(FileFault) {
        // Without O_NONBLOCK the opening of a pipe waits for its writer; a terminal must not become that of the process.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followsLinks ? 0 : O_NOFOLLOW)
        let descriptor = open(path, flags)
        guard descriptor >= 0 else { throw FileFault(errno: errno) }
        var status = stat()
        let fault: FileFault? =
            if fstat(descriptor, &status) != 0 {
                FileFault(errno: errno)
            } else {
                switch status.st_mode & S_IFMT {
                case S_IFREG: nil
                case S_IFDIR: .isAFolder
                default: .notARegularFile
                }
            }
        if let fault {
            close(descriptor)
            throw fault
        }
        self.path = path
        self.descriptor = descriptor
        self.status = status
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Reads the bytes from `offset` on.
    /// - Returns: how many bytes there were for `buffer`: fewer than it takes only where the file ends.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileFault) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(offset + filled))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFault(errno: errno) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Calls `body` with the bytes, piece by piece, until the file ends or `body` returns false.
    /// - Throws: ``FileFault``, and what `body` throws.
    public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Bool) throws {
        // Pieces that stay in the processor's cache until `body` has seen them.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(max(size, 4096), 1 << 17), alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while true {
            let count = try read(into: buffer, at: offset)
            guard count > 0, try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
            offset += count
        }
    }

    /// All bytes. What the file system calls empty, as it does the files of `/proc`, is read to its end.
    /// - Parameter limit: in bytes; a larger file is refused before it is read.
    public func contents(limit: Int) throws(FileFault) -> Data {
        guard size <= limit else { throw .tooLarge(bytes: size, limit: limit) }
        // A byte more than there should be shows that there are no more.
        var data = Data(count: max(size + 1, 4096))
        var filled = 0
        while true {
            let count = data.count
            let result = data.withUnsafeMutableBytes { bytes in
                Result { () throws(FileFault) in
                    try read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled..<count]), at: filled)
                }
            }
            filled += try result.get()
            if filled < count { return data.prefix(filled) }
            guard filled <= limit else { throw .tooLarge(bytes: filled, limit: limit) }
            data.count += max(4096, count / 2)
        }
    }

    /// The bytes of the file at a path.
    /// - Parameters:
    ///   - limit: in bytes; a larger file is refused before it is read.
    ///   - followsLinks: false refuses a path whose last part is a symbolic link.
    public static func contents(of path: String, limit: Int, followsLinks: Bool = true) throws(FileFault) -> Data {
        try RegularFile(path, followsLinks: followsLinks).contents(limit: limit)
    }

    /// Maps the file into memory, read-only. The mapping lives as long as the returned data or a slice of it.
    ///
    /// Pages are read when touched, so that opening a checkpoint of gigabytes costs its header. A file that another
    /// process truncates while it is mapped ends this process with SIGBUS; files are therefore replaced by renaming,
    /// never rewritten in place.
    public func map() throws(FileFault) -> Data {
        guard size > 0 else { return Data() }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw FileFault(errno: errno)
        }
        return Data(bytesNoCopy: address, count: size, deallocator: .custom { munmap($0, $1) })
    }
}
