/// An address that files may be fetched from.
struct FetchAddress: Equatable {
    enum Scheme: String {
        case http, https, file
    }

    let text: String
    let scheme: Scheme

    /// Nil for other schemes, for an address without one, and for what no address holds.
    init?(_ text: String) {
        guard let end = text.range(of: "://"), let scheme = Scheme(rawValue: text[..<end.lowerBound].lowercased()),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), end.upperBound < text.endIndex
        else { return nil }
        self.text = text
        self.scheme = scheme
    }

    /// Whether a server at this address may send on to another: never to a file, and never to where others can listen.
    func maySendOn(to target: FetchAddress) -> Bool {
        target.scheme == .https || (target.scheme == .http && scheme == .http)
    }
}
