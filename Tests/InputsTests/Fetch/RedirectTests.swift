import Foundation
import Foundations
import Inputs
import TestSupport
import Testing

/// Redirections, and answers that are no files.
extension FetcherTests {
    @Test func redirectionsAreFollowed() throws {
        let target = try LocalServer([Self.served()])
        let server = try LocalServer([
            .redirect(status: 301, to: "/v1/elsewhere"), .redirect(status: 302, to: "?x=1"),
            .redirect(status: 308, to: target.url),
        ])
        #expect(try Self.fetcher.fetch(Self.file(server), into: folder.url).status == .matches)
        #expect(
            server.requests.map { $0.head.prefix { $0 != "\r\n" } } == [
                "GET /v1 HTTP/1.1", "GET /v1/elsewhere HTTP/1.1", "GET /v1/elsewhere?x=1 HTTP/1.1",
            ])
    }

    /// The rest is asked of the server that the address leads to now.
    @Test func cutTransferGoesOnBehindARedirection() throws {
        let target = try LocalServer([Self.served { $0.cutAfter = 100_000 }, Self.served()])
        let server = try LocalServer([.redirect(to: target.url), .redirect(to: target.url)])
        #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(server), into: folder.url) }
        #expect(try Self.fetcher.fetch(Self.file(server), into: folder.url).received == 200_000)
    }

    @Test func endlessRedirectionsEnd() throws {
        let server = try LocalServer((0..<10).map { .redirect(to: "/again\($0)") })
        #expect(throws: FetchError.tooManyRedirects(address: server.url, limit: 5)) {
            try Self.fetcher.fetch(Self.file(server), into: folder.url)
        }
        #expect(server.requests.count == 6)
        #expect(names.isEmpty)
    }

    @Test(arguments: [
        "file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:1/x", "scp://h/x",
    ])
    func redirectionsToOtherSchemesAreRefused(location: String) throws {
        let server = try LocalServer([.redirect(to: location)])
        let error = #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(server), into: folder.url) }
        guard case .refusedRedirect(server.url, let to) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(to.lowercased() == location.lowercased())
        #expect(names.isEmpty)
    }

    @Test(arguments: [404, 403, 410, 500, 503, 204, 304]) func answersThatAreNoFileLeaveNothing(status: Int) throws {
        let server = try LocalServer([.status(status)])
        #expect(throws: FetchError.badStatus(address: server.url, status: status)) {
            try Self.fetcher.fetch(Self.file(server), into: folder.url)
        }
        #expect(names.isEmpty)
    }

    /// A page of a network that wants a password is not the file, and costs no part that is there.
    @Test func aFailureKeepsAnEarlierPart() throws {
        let server = try LocalServer([Self.served { $0.cutAfter = 100_000 }, .status(503), .status(200), Self.served()])
        let file = Self.file(server, bytes: Self.content.count)
        for _ in 0..<3 { #expect(throws: FetchError.self) { try Self.fetcher.fetch(file, into: folder.url) } }
        #expect(try Self.fetcher.fetch(file, into: folder.url).received == 200_000)
    }

    /// Answers with a part that nobody asked for, or another part, or nonsense.
    @Test(arguments: [
        "HTTP/1.1 206 Part\r\nContent-Range: bytes 0-3/4\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 206 Part\r\nContent-Length: 4\r\n\r\nabcd", "HTTP/1.1 416 Range\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 206 Part\r\nContent-Range: bytes 99999999999999999999-1/2\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 302 Moved\r\n\r\n", "garbage\r\n\r\n", "", "HTTP/9.9 abc def\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func nonsenseIsRefused(answer: String) throws {
        #expect(try error([.raw(answer), .raw(answer)]) != nil)
        #expect(names.isEmpty, "\(names)")
        // The same where a part is there.
        let server = try LocalServer([Self.served { $0.cutAfter = 100_000 }, .raw(answer), .raw(answer)])
        for _ in 0..<2 {
            #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(server), into: folder.url) }
        }
        #expect(!names.contains("data.bin"))
    }

    @Test func silentServersTimeOut() throws {
        let server = try LocalServer([.silence])
        let error = #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(server), into: folder.url) }
        #expect(error == .timedOut(address: server.url, received: 0))
        server.close()
    }

    @Test func noServer() throws {
        let server = try LocalServer([])
        server.close()
        let file = DatasetsManifest.File(name: "data.bin", address: "http://127.0.0.1:9/x", sha256: Self.sha256)
        guard
            case .transferFailed(_, _, 0) = #expect(
                throws: FetchError.self, performing: { try Self.fetcher.fetch(file, into: folder.url) })
        else {
            Issue.record("another error")
            return
        }
        #expect(names.isEmpty)
    }

    /// Answers mutated from good ones: refused, or the right file.
    @Test(.timeLimit(.minutes(1))) func mutatedAnswersAreRefusedOrRight() throws {
        let good =
            "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/5\r\nLocation: /x\r\n\r\nhello"
        var state: UInt64 = 11
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let answers = (0..<200).map { _ in
            var bytes = Array(good.utf8)
            for _ in 0...next(3) {
                switch next(3) {
                case 0: bytes[next(bytes.count)] = UInt8(next(128))
                case 1: bytes.removeLast(next(min(20, bytes.count - 1)))
                default: bytes.insert(UInt8(0x20 + next(95)), at: next(bytes.count))
                }
            }
            return LocalServer.Answer.raw(String(decoding: bytes, as: UTF8.self))
        }
        var fetcher = Self.fetcher
        fetcher.stallTimeout = 1
        let digest = Digest.sha256(of: Data("hello".utf8))
        var right = 0
        for answer in answers {
            let server = try LocalServer([answer])
            if (try? fetcher.fetch(Self.file(server, sha256: digest), into: folder.url)) != nil {
                right += 1
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("hello".utf8))
            } else {
                #expect(!names.contains("data.bin"))
            }
            for name in names { try FileManager.default.removeItem(at: folder.url.appendingPathComponent(name)) }
        }
        #expect(right > 20 && right < 200, "\(right) of 200")
    }
}
