/// Text as its UTF-8, for the keys of dictionaries.
///
/// Strings are equal in Swift when they are canonically equivalent, words and tokens only when they
/// are identical. Unlike an array of bytes, this is also hashed as a whole and not byte by byte.
struct ByteString: Hashable {
    var bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension ByteString: CustomStringConvertible {
    var description: String { String(decoding: bytes, as: UTF8.self) }
}
