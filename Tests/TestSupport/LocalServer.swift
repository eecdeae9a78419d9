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
        isOpen.withLock { $0 = false }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func serve(_ answers: [Answer]) {
        for answer in answers {
            let client = accept(descriptor, nil, nil)
            guard client >= 0 else { break }
            guard let request = read(client) else { continue }
            received.withLock { $0.append(request) }
            send(answer, to: client)
            _ = Glibc.close(client)
        }
        _ = Glibc.close(descriptor)
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

    private func send(_ answer: Answer, to client: Int32) {
        func write(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        }
        func respond(_ status: Int, _ body: String) {
            _ = write("HTTP/1.1 \(status) Status\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        }
        var goesOn: Bool { isOpen.withLock { $0 } }
        switch answer {
        case .json(let status, let body): respond(status, body)
        case .chat(let text):
            let message: [String: Any] = ["choices": [["index": 0, "message": ["role": "assistant", "content": text]]]]
            let body = (try? JSONSerialization.data(withJSONObject: message)) ?? Data()
            respond(200, String(decoding: body, as: UTF8.self))
        case .raw(let text): _ = write(text)
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
