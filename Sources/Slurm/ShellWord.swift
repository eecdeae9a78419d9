extension String {
    /// As one word of a POSIX shell; as it is where nothing in it means anything to one.
    public var quotedForShell: String {
        let plain = unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (Character(scalar).isLetter || Character(scalar).isNumber
                    || "-_./=:,@%+".unicodeScalars.contains(scalar))
        }
        // By scalars: an apostrophe before a combining mark is no apostrophe to Swift, but one to a shell.
        return plain && !isEmpty ? self : "'" + unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
    }
}
