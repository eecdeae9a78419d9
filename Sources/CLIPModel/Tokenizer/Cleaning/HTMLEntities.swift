/// What HTML's named character references stand for.
enum HTMLEntities {
    /// The scalars of a name, such as `eacute;`, or, of the 106 old ones that may go without a semicolon, `eacute`.
    static func scalars(_ name: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar]? { byName[key(name)] }

    /// As ``scalars(_:)``, and also of names all in capitals, such as `&EACUTE;`, which stand for capitals.
    ///
    /// Only names with a semicolon, and capitals only of names that HTML has in small letters alone and
    /// that do not begin with a name it has without a semicolon.
    static func scalarsInAnyCase(_ name: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar]? {
        let key = key(name)
        return byName[key] ?? inCapitals[key]
    }

    /// The shortest name without its semicolon.
    static let shortestName = 2

    private static func key(_ name: some Sequence<Unicode.Scalar>) -> ByteString {
        ByteString(name.flatMap { $0.utf8 })
    }

    private static let byName: [ByteString: [Unicode.Scalar]] = {
        var byName: [ByteString: [Unicode.Scalar]] = [:]
        for entry in HTMLEntityTable.text.split(whereSeparator: \.isWhitespace) {
            guard let separator = entry.firstIndex(where: { $0 == "=" || $0 == "," }) else { continue }
            let name = entry[..<separator]
            let scalars = entry[entry.index(after: separator)...].split(separator: "+")
                .compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
            byName[ByteString(name.utf8) + [UInt8(ascii: ";")]] = scalars
            if entry[separator] == "," { byName[ByteString(name.utf8)] = scalars }
        }
        return byName
    }()

    private static let inCapitals: [ByteString: [Unicode.Scalar]] = {
        var inCapitals: [ByteString: [Unicode.Scalar]] = [:]
        for (name, scalars) in byName where name.bytes.last == UInt8(ascii: ";") {
            let spelled = name.description
            let capitals = ByteString(spelled.uppercased().utf8)
            guard spelled == spelled.lowercased(), byName[capitals] == nil else { continue }
            let hasKnownBeginning = (shortestName..<capitals.bytes.count).contains {
                byName[ByteString(capitals.bytes.prefix($0))] != nil
            }
            guard !hasKnownBeginning else { continue }
            inCapitals[capitals] = scalars.flatMap { $0.properties.uppercaseMapping.unicodeScalars }
        }
        return inCapitals
    }()
}

extension ByteString {
    fileprivate static func + (string: ByteString, suffix: [UInt8]) -> ByteString {
        ByteString(string.bytes + suffix)
    }
}
