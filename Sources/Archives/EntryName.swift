/// The rules for the name of an entry.
enum EntryName {
    /// The name without a leading `./` and a trailing slash; nil for the archive's own folder.
    ///
    /// Nothing else is changed. A name that would leave the folder it is unpacked in, or a second
    /// spelling of another name, is refused.
    static func checked(_ name: [UInt8]) throws(ArchiveDefect) -> [UInt8]? {
        let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
        guard let first = name.first else { throw .emptyName }
        guard name.count <= ArchiveLimits.nameBytes else { throw .nameTooLong(bytes: name.count) }
        guard first != slash else { throw .absolutePath }
        guard !name.contains(0) else { throw .unusualPath }

        var path = name[...]
        if path.last == slash { path.removeLast() }
        if path.elementsEqual([dot]) { return nil }
        if path.starts(with: [dot, slash]) { path.removeFirst(2) }
        for part in path.split(separator: slash, omittingEmptySubsequences: false) {
            if part.elementsEqual([dot, dot]) { throw .leavesFolder }
            if part.isEmpty || part.elementsEqual([dot]) { throw .unusualPath }
        }
        guard path.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) != nil else {
            throw .nameNotUTF8
        }
        return Array(path)
    }
}

extension ArchiveDefect: Error {}
