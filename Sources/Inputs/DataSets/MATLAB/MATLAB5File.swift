/// The variables of a MAT-file of level 5, which MATLAB writes for versions 5 to 7.
///
/// Format: MathWorks, "MAT-File Format" (R2023a), sections "Level 5 MAT-File Format". A header of 128
/// bytes, then elements of a type, a size and data, padded to eight bytes; matrices are elements of
/// elements; a variable may be a zlib stream of its element.
struct MATLAB5File {
    let variables: [String: MATLABValue]

    /// - Parameters:
    ///   - path: for errors.
    ///   - wanted: the variables that are read; others are passed over.
    ///   - limit: of the decompressed bytes of one variable.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)`` with the byte where the fault lies.
    init(_ bytes: [UInt8], path: String, wanted: Set<String>, limit: Int) throws {
        guard bytes.count >= MATLAB5Scanner.headerBytes else {
            throw InputError.malformedFile(
                path: path, place: "byte \(bytes.count)", expected: "a MAT-file's header of 128 bytes")
        }
        let isBigEndian: Bool
        switch (bytes[126], bytes[127]) {
        case (UInt8(ascii: "I"), UInt8(ascii: "M")): isBigEndian = false
        case (UInt8(ascii: "M"), UInt8(ascii: "I")): isBigEndian = true
        default:
            throw InputError.malformedFile(
                path: path, place: "byte 126", expected: "the mark 'IM' or 'MI' of a MAT-file of level 5")
        }
        guard bytes[isBigEndian ? 124 : 125] == 1 else {
            throw InputError.malformedFile(
                path: path, place: "byte 124", expected: "version 1 of a MAT-file of level 5")
        }
        var scanner = MATLAB5Scanner(
            bytes[MATLAB5Scanner.headerBytes...], isBigEndian: isBigEndian, path: path, within: "", limit: limit)
        var variables: [String: MATLABValue] = [:]
        while !scanner.isAtEnd {
            if let (name, value) = try scanner.variable(wanted: wanted) { variables[name] = value }
        }
        self.variables = variables
    }
}
