import Foundation

/// The bytes of a regular file, at most the first `limit`.
/// - Throws: `PipelineError.cannotRead`.
public func readFile(at url: URL, limit: Int = .max) throws -> Data {
    var data = Data()
    try forEachPiece(of: url) { piece in
        data.append(contentsOf: piece.prefix(limit - data.count))
        return data.count < limit
    }
    return data
}

/// Calls `body` with the bytes of a regular file, piece by piece, until it returns false.
/// - Throws: `PipelineError.cannotRead`, and what `body` throws.
func forEachPiece(of url: URL, _ body: (UnsafeRawBufferPointer) throws -> Bool) throws {
    func failure(_ code: Int32) -> PipelineError { .cannotRead(path: url.path, errno: code) }
    // Opening a FIFO must not wait for a writer.
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw failure(status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }

    // Pieces that stay in the processor's cache until `body` has seen them.
    let size = min(max(Int(status.st_size), 4096), 1 << 17)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = read(descriptor, buffer.baseAddress, size)
        if count < 0 {
            if errno == EINTR { continue }
            throw failure(errno)
        }
        guard count > 0, try body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else {
            return
        }
    }
}
