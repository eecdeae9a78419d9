import Foundation

/// Maps a regular file into memory, read-only.
///
/// The mapping lives as long as the returned data or a slice of it. Pages are read when touched,
/// so opening a checkpoint of gigabytes costs its header. A file that another process truncates
/// while it is mapped ends this process with SIGBUS; files are therefore replaced by renaming,
/// never rewritten in place.
/// - Throws: `SafetensorsError.cannotRead`, `.notARegularFile`.
public func mapFile(at path: String) throws -> Data {
    // Opening a FIFO must not wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw SafetensorsError.cannotRead(path: path, errno: errno) }
    defer { close(descriptor) }

    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
        throw SafetensorsError.cannotRead(path: path, errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw SafetensorsError.notARegularFile(path: path)
    }
    let size = Int(status.st_size)
    guard size > 0 else { return Data() }

    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
        address != MAP_FAILED
    else { throw SafetensorsError.cannotRead(path: path, errno: errno) }
    return Data(
        bytesNoCopy: address, count: size, deallocator: .custom { munmap($0, $1) })
}
