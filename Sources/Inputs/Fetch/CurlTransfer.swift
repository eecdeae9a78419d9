import CCurl
import Foundation

/// One GET by libcurl, on the caller's thread. What comes goes to the receiver as it comes; redirections are told
/// and not followed.
final class CurlTransfer {
    /// Status line and header fields of an answer.
    struct Head: Equatable {
        /// 0 for a file.
        var status = 0
        /// By lower-case name; of several with one name, the last.
        var fields: [String: String] = [:]
    }

    enum Outcome {
        case complete
        /// The receiver, or whoever was asked, wanted no more.
        case stopped
        case timedOut
        case failed(reason: String)
    }

    /// What libcurl is told to call back with.
    private final class Context {
        var head = Head()
        let receive: (Head, UnsafeRawBufferPointer) -> Bool
        let goesOn: () -> Bool
        var isStopped = false

        init(receive: @escaping (Head, UnsafeRawBufferPointer) -> Bool, goesOn: @escaping () -> Bool) {
            self.receive = receive
            self.goesOn = goesOn
        }

        /// - Parameter line: of a header; a status line begins another answer.
        func readHeader(_ line: String) {
            if line.hasPrefix("HTTP/") {
                let parts = line.split(separator: " ")
                head = Head(status: parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
            } else if let colon = line.firstIndex(of: ":") {
                head.fields[line[..<colon].lowercased()] =
                    line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }
    }

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let context: Context
    private(set) var redirect: String?
    var head: Head { context.head }

    /// - Parameters:
    ///   - receive: gets the head and a piece of the body; false ends the transfer.
    ///   - goesOn: asked at least once a second; false ends the transfer.
    init(receive: @escaping (Head, UnsafeRawBufferPointer) -> Bool, goesOn: @escaping () -> Bool) {
        context = Context(receive: receive, goesOn: goesOn)
    }

    /// - Parameters:
    ///   - headers: whole lines, such as `Range: bytes=5-`.
    ///   - timeouts: seconds; for a connection, and without a byte.
    func run(_ address: FetchAddress, headers: [String], timeouts: (connect: Int, stall: Int)) -> Outcome {
        guard Self.isReady, let handle = curl_easy_init() else {
            return .failed(reason: "libcurl could not be started")
        }
        defer { curl_easy_cleanup(handle) }
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        for header in headers { list = curl_slist_append(list, header) }

        // CURLOPT_NOSIGNAL is not set: libcurl then keeps SIGPIPE from ending the program.
        let settings = [
            clens_curl_restrict_schemes(handle),
            clens_curl_set_string(handle, CURLOPT_URL, address.text),
            clens_curl_set_string(handle, CURLOPT_USERAGENT, "clip-lens"),
            clens_curl_set_headers(handle, list),
            clens_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0),
            clens_curl_set_long(handle, CURLOPT_NOPROGRESS, 0),
            clens_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, timeouts.connect),
            clens_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1),
            clens_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, timeouts.stall),
            setCallbacks(handle),
        ]
        if let failure = settings.first(where: { $0 != CURLE_OK }) { return .failed(reason: Self.reason(failure)) }

        let code = withExtendedLifetime(context) { curl_easy_perform(handle) }
        var location: UnsafeMutablePointer<CChar>?
        if clens_curl_get_string(handle, CURLINFO_REDIRECT_URL, &location) == CURLE_OK, let location {
            redirect = String(cString: location)
        }
        switch code {
        case CURLE_OK: return .complete
        case _ where context.isStopped: return .stopped
        case CURLE_OPERATION_TIMEDOUT: return .timedOut
        default: return .failed(reason: Self.reason(code))
        }
    }

    private static func reason(_ code: CURLcode) -> String { String(cString: curl_easy_strerror(code)) }

    private func setCallbacks(_ handle: UnsafeMutableRawPointer) -> CURLcode {
        clens_curl_set_callbacks(
            handle,
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
                Unmanaged<Context>.fromOpaque(context).takeUnretainedValue().readHeader(line)
                return size * count
            },
            { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let this = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                guard this.receive(this.head, UnsafeRawBufferPointer(start: bytes, count: size * count)) else {
                    this.isStopped = true
                    // Any other number than that of the bytes ends the transfer.
                    return size * count == 0 ? 1 : 0
                }
                return size * count
            },
            { context, _, _, _, _ in
                guard let context else { return 1 }
                let this = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                guard this.goesOn() else {
                    this.isStopped = true
                    return 1
                }
                return 0
            },
            Unmanaged.passUnretained(context).toOpaque())
    }
}
