/// The groups and datasets of an HDF5 file of the kind that MATLAB writes as MAT-file 7.3.
///
/// Format: The HDF Group, "HDF5 File Format Specification Version 3.0": superblock versions 0 and 1,
/// object headers of version 1, groups by symbol tables, datasets laid out compactly, contiguously or in
/// chunks behind a version 1 B-tree, the filters deflate, shuffle and Fletcher-32. Of other things the
/// format has, the error says which one was met. All of it is checked against the file's size before
/// memory is taken, and nothing is kept between calls, so that any thread may read.
struct HDF5File: Sendable {
    let bytes: HDF5Bytes
    private let root: UInt64

    var path: String { bytes.path }

    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/malformedFile(path:place:expected:)``.
    init(path: String, purpose: String) throws {
        bytes = try HDF5Bytes(path: path, purpose: purpose)
        var superblock = try HDF5Reader(bytes, at: 0, count: min(100, bytes.size - bytes.base))
        try superblock.skip(8)
        let version: UInt8 = try superblock.number()
        guard version < 2 else { throw superblock.failure("an HDF5 superblock of version 0 or 1, not \(version)") }
        try superblock.skip(4)
        let (offsets, lengths): (UInt8, UInt8) = (try superblock.number(), try superblock.number())
        guard offsets == 8, lengths == 8 else { throw superblock.failure("addresses and lengths of eight bytes") }
        // Node sizes, flags, and of version 1 the size of chunk nodes; the base address, that of free space,
        // the file's end, a driver's block; the root's symbol table entry, which begins with a name.
        try superblock.skip(1 + 4 + 4 + (version == 1 ? 4 : 0) + 2 * 8)
        let end: UInt64 = try superblock.number()
        guard end <= UInt64(bytes.size) else { throw superblock.failure("\(end) bytes, the file has \(bytes.size)") }
        try superblock.skip(8 + 8)
        root = try superblock.number()
    }

    /// The dataset or group under `names`, one group in the other.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)``.
    func object(_ names: String...) throws -> HDF5Object {
        var object = try HDF5Object(bytes, at: root)
        for (depth, name) in names.enumerated() {
            guard let address = try object.member(name) else {
                throw InputError.malformedFile(
                    path: path, place: "/" + names[..<depth].joined(separator: "/"), expected: "a member '\(name)'")
            }
            object = try HDF5Object(bytes, at: address)
        }
        return object
    }

    /// The object that a reference leads to.
    func object(at address: UInt64) throws -> HDF5Object { try HDF5Object(bytes, at: address) }
}
