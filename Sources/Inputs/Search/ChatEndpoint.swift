import Foundation
#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The body of a request to `/chat/completions`.
struct ChatQuestion: Encodable {
    struct Message: Codable {
        let role: String
        let content: String
    }

    let model: String
    let messages: [Message]
    let temperature: Double
    let seed: Int
}

/// An OpenAI-compatible chat server, on this machine or behind https: neither texts nor the key go over a network in the clear.
struct ChatEndpoint: Sendable {
    /// Bytes of an answer, at most.
    static let largestReply = 4 << 20
    static let quotedCharacters = 200

    /// The full address, without anything secret.
    let address: String
    private let url: URL
    private let keyVariable: String?
    private let timeout: Double

    init(url text: String, keyVariable: String?, timeout: Double) throws {
        // A password or a key in the address would end up in the results.
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme),
            let host = parts.host, !host.isEmpty, parts.user == nil, parts.password == nil, parts.query == nil,
            parts.fragment == nil,
            let url = parts.url?.appendingPathComponent("chat/completions")
        else { throw SearchError.unsupportedURL(Self.withoutSecrets(text)) }
        if scheme == "http" {
            guard Self.isLoopback(host) else { throw SearchError.insecureURL(text) }
            Self.passProxiesBy(host)
        }
        self.url = url
        self.keyVariable = keyVariable
        self.timeout = timeout
        address = url.absoluteString
    }

    /// Whether a host is this machine: `localhost`, 127.0.0.0/8 and ::1, and no name that only looks so.
    static func isLoopback(_ host: String) -> Bool {
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
        if inet_pton(AF_INET6, host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), &six) == 1 {
            return withUnsafeBytes(of: six) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
        }
        return host.lowercased() == "localhost"
    }

    /// The libcurl behind Foundation's sessions sends http to the proxy that the environment names, which may be another machine,
    /// even for an address of this one; exceptions it takes from the environment, and from nowhere else.
    private static func passProxiesBy(_ host: String) {
        let environment = ProcessInfo.processInfo.environment
        let host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        let exceptions = (environment["no_proxy"] ?? environment["NO_PROXY"] ?? "").split(separator: ",").map(
            String.init)
        if !exceptions.contains(host) { setenv("no_proxy", (exceptions + [host]).joined(separator: ","), 1) }
    }

    /// As much of a refused address as may be shown.
    private static func withoutSecrets(_ text: String) -> String {
        let start = text.prefix { $0 != "?" && $0 != "#" }
        guard let at = start.lastIndex(of: "@") else { return String(start) }
        return "…" + start[at...]
    }

    /// Asks one question.
    /// - Returns: the text of the first choice.
    /// - Throws: ``SearchError``.
    func reply(_ question: ChatQuestion, isCancelled: @Sendable () -> Bool) throws -> String {
        struct Reply: Decodable {
            struct Choice: Decodable {
                struct Message: Decodable {
                    let content: String?
                }
                let message: Message?
            }
            let choices: [Choice]?
        }
        let key = try key()
        let (status, body) = try post(JSONEncoder().encode(question), key: key, isCancelled: isCancelled)
        func quoted() -> String {
            let text = String(decoding: body.prefix(4 * Self.quotedCharacters), as: UTF8.self)
            return String((key.map { text.replacing($0, with: "…") } ?? text).prefix(Self.quotedCharacters))
        }
        guard (200..<300).contains(status) else {
            throw SearchError.httpStatus(url: address, code: status, body: quoted())
        }
        guard (try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)) != nil else {
            throw SearchError.notJSON(url: address, body: quoted())
        }
        guard let reply = try? JSONDecoder().decode(Reply.self, from: body),
            let text = reply.choices?.first?.message?.content
        else {
            throw SearchError.noChoices(url: address)
        }
        return text
    }

    private func key() throws -> String? {
        guard let keyVariable else { return nil }
        // A control character would end the header.
        guard let key = ProcessInfo.processInfo.environment[keyVariable], !key.isEmpty,
            key.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 0x20 && $0.value < 0x7F })
        else { throw SearchError.missingKey(variable: keyVariable) }
        return key
    }

    private func post(_ body: Data, key: String?, isCancelled: @Sendable () -> Bool) throws -> (status: Int, body: Data)
    {
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: timeout + 1)
        request.httpMethod = "POST"
        request.httpBody = body
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
        let exchange = HTTPExchange(limit: Self.largestReply)
        switch exchange.run(request, timeout: timeout, isCancelled: isCancelled) {
        case .answered(let status, let body): return (status, body)
        case .failed(let reason): throw SearchError.unreachable(url: address, reason: reason)
        case .cancelled: throw SearchError.cancelled
        case .timedOut: throw SearchError.timedOut(url: address, seconds: timeout)
        case .tooLarge: throw SearchError.replyTooLarge(url: address, limit: Self.largestReply)
        }
    }
}
