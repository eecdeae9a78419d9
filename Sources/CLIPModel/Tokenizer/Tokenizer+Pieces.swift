extension Tokenizer {
    /// What each token of an encoded text spells; a piece that is not whole characters has replacement characters.
    /// Start and end token spell their literals.
    public func pieces(of tokens: [Int]) -> [String] {
        let (bytes, parts) = (symbols.bytes, merges.parts)
        func spelling(_ token: Int) -> [UInt8] {
            // A merged token is longer than its parts, so that this ends.
            if let pair = parts[token] { return spelling(pair.left) + spelling(pair.right) }
            return bytes[token].map { [$0] } ?? []
        }
        return tokens.map { token in
            switch token {
            case startToken: dialect.startLiteral
            case endToken: dialect.endLiteral
            default: String(decoding: spelling(token), as: UTF8.self)
            }
        }
    }
}

extension WordEncoder.ByteSymbols {
    /// The byte of each one-byte symbol, within a word or at its end.
    fileprivate var bytes: [Int: UInt8] {
        var bytes: [Int: UInt8] = [:]
        for (byte, ids) in zip(inside, atEnd).enumerated() {
            bytes[ids.0] = UInt8(byte)
            bytes[ids.1] = UInt8(byte)
        }
        return bytes
    }
}
