import Foundation
import Foundations

/// The bytes of an HDF5 file, read in pieces from any thread; every piece is compared with the file's size.
final class HDF5Bytes: Sendable {
    let path: String
    /// In bytes, when the file was opened.
    let size: Int
    /// Bytes before the superblock, from which addresses count.
    let base: Int
    private let file: RegularFile

    private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    /// The undefined address.
    static let nowhere = UInt64.max

    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/malformedFile(path:place:expected:)``.
    init(path: String, purpose: String) throws {
        let file = try InputError.reading(URL(fileURLWithPath: path), purpose: purpose) { try RegularFile(path) }
        self.path = path
        self.file = file
        size = file.size
        // The superblock stands at 0, 512, 1024, …: MATLAB's own header of 512 bytes comes first.
        var base: Int?
        for place in [0, 512, 1024, 2048] where base == nil {
            let found = Self.read(file, at: place, count: Self.signature.count)
            if found == Self.signature { base = place }
        }
        guard let base else {
            throw InputError.malformedFile(path: path, place: "byte 512", expected: "the signature of an HDF5 file")
        }
        self.base = base
    }

    /// Nil where the file does not have so many bytes there, or cannot be read.
    private static func read(_ file: RegularFile, at place: Int, count: Int) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
            initialised =
                (try? file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
                    at: place)) ?? 0
        }
        return bytes.count == count ? bytes : nil
    }

    func failure(_ place: UInt64, _ expected: String) -> InputError {
        let shown = place < UInt64(size) ? "byte \(Int(place) + base)" : "address \(place)"
        return .malformedFile(path: path, place: shown, expected: expected)
    }

    /// - Parameter address: from the file's base address on.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)`` for bytes that the file does not have.
    func read(at address: UInt64, count: Int) throws -> [UInt8] {
        guard address <= UInt64(size - base), count <= size - base - Int(address),
            let bytes = Self.read(file, at: base + Int(address), count: count)
        else { throw failure(address, "\(count) bytes, the file has \(size)") }
        return bytes
    }
}

/// Little-endian numbers of a piece of an HDF5 file, read one after the other.
struct HDF5Reader {
    let bytes: [UInt8]
    /// Address of the first byte, from the file's base address on.
    let address: UInt64
    private let file: HDF5Bytes
    private(set) var position = 0

    init(_ file: HDF5Bytes, at address: UInt64, count: Int) throws {
        self.init(file, bytes: try file.read(at: address, count: count), address: address)
    }

    init(_ file: HDF5Bytes, bytes: [UInt8], address: UInt64) {
        (self.file, self.bytes, self.address) = (file, bytes, address)
    }

    var left: Int { bytes.count - position }
    /// The address of the next byte.
    var place: UInt64 { address + UInt64(position) }

    func failure(_ expected: String) -> InputError { file.failure(place, expected) }

    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, count <= left else { throw failure("\(count) more bytes, here are \(left)") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) throws { _ = try take(count) }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type = Number.self) throws
        -> Number
    {
        try take(Number.bitWidth / 8).reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func expect(_ word: String) throws {
        guard try take(word.utf8.count).elementsEqual(word.utf8) else {
            position -= word.utf8.count
            throw failure("'\(word)'")
        }
    }
}
