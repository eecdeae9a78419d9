import Foundation
import Synchronization

/// An HTTP server on 127.0.0.1 that answers one request after the other as it is told.
public final class LocalServer: Sendable {
    public enum Answer: Sendable {
        case json(status: Int = 200, String)
        /// A chat completion with this text.
        case chat(String)
        /// Bytes as they are.
        case raw(String)
        /// Accepts and says nothing.
        case silence
        /// A header, then a byte every so often.
        case trickle
        /// A body that does not end.
        case flood
        /// A file, or the rest of it that was asked for.
        case file(PublishedFile)
        case redirect(status: Int = 302, to: String)
        case status(Int)
    }

    /// A file as servers offer it.
    public struct PublishedFile: Sendable {
        public var content: Data
        public var etag: String?
        public var lastModified: String?
        /// Whether a part is sent where one is asked for.
        public var knowsRanges = true
        /// The connection is cut after so many bytes of the body.
        public var cutAfter: Int?
        /// Says how long the body is.
        public var statesLength = true
        /// Waits so long before each 64 KiB.
        public var pauseInMicroseconds: UInt32 = 0

        public init(_ content: Data, etag: String? = nil) {
            self.content = content
            self.etag = etag
        }
    }

    public struct Request: Sendable {
        public let head: String
        public let body: Data
    }

    public let url: String
    private let descriptor: Int32
    private let received = Mutex<[Request]>([])
    private let isOpen = Mutex(true)

    public var requests: [Request] { received.withLock { $0 } }

    public init(_ answers: [Answer]) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.fault }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let port = try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, length) == 0, listen(descriptor, 8) == 0,
                    getsockname(descriptor, generic, &length) == 0
                else { throw Self.fault }
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        url = "http://127.0.0.1:\(port)/v1"
        Thread.detachNewThread { [self] in serve(answers) }
    }

    private static var fault: POSIXError { POSIXError(POSIXError.Code(rawValue: errno) ?? .EIO) }

    /// Ends the server; a client that still waits is cut off.
    public func close() {
        isOpen.withLock { isOpen in
            // Once the descriptor is closed its number may be that of another test's socket.
            if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
            isOpen = false
        }
    }

    private func serve(_ answers: [Answer]) {
        for answer in answers {
            let client = accept(descriptor, nil, nil)
            guard client >= 0 else { break }
            guard let request = read(client) else { continue }
            received.withLock { $0.append(request) }
            send(answer, to: client, asked: request)
            _ = Glibc.close(client)
        }
        isOpen.withLock { isOpen in
            isOpen = false
            _ = Glibc.close(descriptor)
        }
    }

    private func read(_ client: Int32) -> Request? {
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 4096)
        let end = Data("\r\n\r\n".utf8)
        while true {
            if let range = data.range(of: end) {
                let head = String(decoding: data[..<range.lowerBound], as: UTF8.self)
                let length = head.lowercased().firstMatch(of: /content-length: ([0-9]+)/).flatMap { Int($0.1) } ?? 0
                let body = data[range.upperBound...]
                if body.count >= length { return Request(head: head, body: Data(body)) }
            }
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            data.append(contentsOf: buffer.prefix(count))
        }
    }

    /// Sends a whole file, or from the byte on that was asked for if it is still the same file.
    private func send(_ file: PublishedFile, to client: Int32, asked request: Request) {
        let validator = file.etag ?? file.lastModified
        let first = request.head.firstMatch(of: /Range: bytes=([0-9]+)-/).flatMap { Int($0.1) }
        let condition = request.head.firstMatch(of: /If-Range: ([^\r]+)/).map { String($0.1) }
        var body = file.content
        var head = "HTTP/1.1 200 OK\r\n"
        if let first, file.knowsRanges, condition == nil || condition == validator {
            guard first < body.count else {
                _ = write(
                    Data(
                        "HTTP/1.1 416 Range\r\nContent-Range: bytes */\(body.count)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                            .utf8), to: client)
                return
            }
            head = "HTTP/1.1 206 Part\r\nContent-Range: bytes \(first)-\(body.count - 1)/\(body.count)\r\n"
            body = body.dropFirst(first)
        }
        if let etag = file.etag { head += "ETag: \(etag)\r\n" }
        if let date = file.lastModified { head += "Last-Modified: \(date)\r\n" }
        if file.statesLength { head += "Content-Length: \(body.count)\r\n" }
        guard write(Data("\(head)Connection: close\r\n\r\n".utf8), to: client) else { return }
        body = body.prefix(file.cutAfter ?? .max)
        while !body.isEmpty, isOpen.withLock({ $0 }) {
            if file.pauseInMicroseconds > 0 { usleep(file.pauseInMicroseconds) }
            guard write(Data(body.prefix(1 << 16)), to: client) else { return }
            body = body.dropFirst(1 << 16)
        }
    }

    private func write(_ data: Data, to client: Int32) -> Bool {
        var sent = 0
        while sent < data.count {
            let count = data.withUnsafeBytes {
                Glibc.send(client, $0.baseAddress.map { $0 + sent }, data.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func send(_ answer: Answer, to client: Int32, asked request: Request) {
        func write(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        }
        func respond(_ status: Int, _ body: String) {
            _ = write(
                "HTTP/1.1 \(status) Status\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
            )
        }
        var goesOn: Bool { isOpen.withLock { $0 } }
        switch answer {
        case .json(let status, let body): respond(status, body)
        case .chat(let text):
            let message: [String: Any] = [
                "choices": [["index": 0, "message": ["role": "assistant", "content": text]]]
            ]
            let body = (try? JSONSerialization.data(withJSONObject: message)) ?? Data()
            respond(200, String(decoding: body, as: UTF8.self))
        case .raw(let text): _ = write(text)
        case .file(let file): send(file, to: client, asked: request)
        case .redirect(let status, let location):
            _ = write(
                "HTTP/1.1 \(status) Moved\r\nLocation: \(location)\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone"
            )
        case .status(let status): respond(status, "<html>not the file</html>")
        case .silence:
            while goesOn { usleep(10_000) }
        case .trickle:
            var alive = write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while alive, goesOn {
                alive = write(" ")
                usleep(50_000)
            }
        case .flood:
            let block = String(repeating: " ", count: 1 << 16)
            var alive = write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while alive, goesOn { alive = write(block) }
        }
    }
}
