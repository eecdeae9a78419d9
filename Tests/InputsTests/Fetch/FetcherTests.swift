import Foundation
import Foundations
import Inputs
import Synchronization
import TestSupport
import Testing

/// Files from a server that behaves, and from servers that do not.
@Suite struct FetcherTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// 300 kB that are the same every time.
    static let content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) })
    static let sha256 = Digest.sha256(of: content)
    static let tag = "\"v1\""

    static var fetcher: Fetcher {
        var fetcher = Fetcher()
        fetcher.attempts = 1
        fetcher.pause = 0
        fetcher.stallTimeout = 2
        return fetcher
    }

    static func served(_ content: Data = content, _ change: (inout LocalServer.PublishedFile) -> Void = { _ in })
        -> LocalServer.Answer
    {
        var file = LocalServer.PublishedFile(content, etag: tag)
        change(&file)
        return .file(file)
    }

    static func file(_ server: LocalServer, sha256: String? = sha256, bytes: Int? = nil, md5: String? = nil)
        -> DatasetsManifest.File
    {
        DatasetsManifest.File(name: "data.bin", address: server.url, bytes: bytes, md5: md5, sha256: sha256)
    }

    var path: String { folder.url.appendingPathComponent("data.bin").path }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()) ?? [] }

    /// The error of fetching from a server with these answers.
    func error(
        _ answers: [LocalServer.Answer], _ fetcher: Fetcher = fetcher, sha256: String? = sha256, bytes: Int? = nil
    ) throws -> FetchError? {
        let server = try LocalServer(answers)
        defer { server.close() }
        do {
            _ = try fetcher.fetch(Self.file(server, sha256: sha256, bytes: bytes), into: folder.url)
            return nil
        } catch let error as FetchError {
            return error
        }
    }

    // MARK: Whole files

    @Test func isFetchedAndNamed() throws {
        let server = try LocalServer([Self.served()])
        let fetched = try Self.fetcher.fetch(Self.file(server, bytes: Self.content.count), into: folder.url)
        #expect(fetched.path == path && fetched.bytes == Self.content.count && fetched.received == Self.content.count)
        #expect(fetched.sha256 == Self.sha256 && fetched.status == .matches && !fetched.wasThere)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.content)
        #expect(names == ["data.bin"])
    }

    @Test func whatIsThereIsNotFetchedAgain() throws {
        try Self.content.write(to: URL(fileURLWithPath: path))
        let server = try LocalServer([])
        let fetched = try Self.fetcher.fetch(Self.file(server), into: folder.url)
        #expect(fetched.wasThere && fetched.status == .matches && server.requests.isEmpty)
    }

    @Test func anotherFileThatIsThereIsLeft() throws {
        try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
        let status = FileCheck.Status.wrongDigest(
            algorithm: .sha256, expected: Self.sha256, found: Digest.sha256(of: Data("mine".utf8)), isRecorded: false)
        #expect(try error([]) == .otherFile(path: path, status: status))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("mine".utf8))
    }

    @Test func emptyAndUnmeasuredFiles() throws {
        #expect(try error([Self.served(Data())], sha256: Digest.sha256(of: Data())) == nil)
        try FileManager.default.removeItem(atPath: path)
        #expect(try error([Self.served { $0.statesLength = false }]) == nil)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Self.content)
    }

    @Test func filesOfThisMachine() throws {
        let source = try folder.file("source", Self.content)
        let file = DatasetsManifest.File(name: "data.bin", address: "file://\(source.path)", sha256: Self.sha256)
        #expect(try Self.fetcher.fetch(file, into: folder.url).status == .matches)
        let absent = DatasetsManifest.File(name: "b", address: "file:///no/such/file", sha256: Self.sha256)
        #expect(throws: FetchError.self) { try Self.fetcher.fetch(absent, into: folder.url) }
        #expect(names == ["data.bin", "source"])
    }

    // MARK: Digests

    @Test func wrongDigestLeavesNothing() throws {
        let other = Data("something else".utf8)
        #expect(
            try error([Self.served(other)])
                == .wrongDigest(
                    path: path, algorithm: .sha256, expected: Self.sha256, found: Digest.sha256(of: other),
                    isRecorded: false))
        #expect(names.isEmpty)
    }

    @Test func md5IsComparedToo() throws {
        let server = try LocalServer([Self.served(Data("abc".utf8)), Self.served(Data("abd".utf8))])
        let file = Self.file(server, sha256: nil, md5: "900150983cd24fb0d6963f7d28e17f72")
        #expect(try Self.fetcher.fetch(file, into: folder.url).status == .matches)
        try FileManager.default.removeItem(atPath: path)
        #expect(
            throws: FetchError.wrongDigest(
                path: path, algorithm: .md5, expected: "900150983cd24fb0d6963f7d28e17f72",
                found: "4911e516e5aa21d327512e0c8b197616", isRecorded: false)
        ) { try Self.fetcher.fetch(file, into: folder.url) }
        #expect(names.isEmpty)
    }

    @Test(arguments: [true, false]) func wrongSizeLeavesNothing(isStated: Bool) throws {
        let error = try error([Self.served { $0.statesLength = isStated }], bytes: 1000)
        guard case .wrongSize(path, 1000, let found) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found > 1000 && names.isEmpty)
    }

    @Test func withoutPublishedDigestTheFirstIsRecorded() throws {
        let server = try LocalServer([Self.served(), Self.served(), Self.served(Data("changed".utf8))])
        let file = Self.file(server, sha256: nil)
        #expect(try Self.fetcher.fetch(file, into: folder.url).status == .unverified)
        #expect(try String(contentsOfFile: path + ".sha256", encoding: .utf8) == "\(Self.sha256)  data.bin\n")
        #expect(try Self.fetcher.fetch(file, into: folder.url).status == .matchesRecord)
        try FileManager.default.removeItem(atPath: path)
        #expect(try Self.fetcher.fetch(file, into: folder.url).status == .matchesRecord)
        try FileManager.default.removeItem(atPath: path)
        #expect(
            throws: FetchError.wrongDigest(
                path: path, algorithm: .sha256, expected: Self.sha256, found: Digest.sha256(of: Data("changed".utf8)),
                isRecorded: true)
        ) { try Self.fetcher.fetch(file, into: folder.url) }
        #expect(names == ["data.bin.sha256"])
    }

    // MARK: Resuming

    @Test func cutTransferGoesOnWhereItEnded() throws {
        let server = try LocalServer([Self.served { $0.cutAfter = 100_000 }, Self.served()])
        let first = #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(server), into: folder.url) }
        guard case .transferFailed(server.url, _, 100_000) = first else {
            Issue.record("\(String(describing: first))")
            return
        }
        #expect(names == ["data.bin.part", "data.bin.part.json"])
        let fetched = try Self.fetcher.fetch(Self.file(server), into: folder.url)
        #expect(fetched.received == 200_000 && fetched.status == .matches)
        #expect(server.requests.last?.head.contains("Range: bytes=100000-\r\nIf-Range: \(Self.tag)") == true)
        #expect(names == ["data.bin"])
    }

    @Test func attemptsTakeUpWhatWasCut() throws {
        var fetcher = Self.fetcher
        fetcher.attempts = 5
        let cuts = (0..<3).map { _ in Self.served { $0.cutAfter = 80_000 } }
        let server = try LocalServer(cuts + [Self.served()])
        #expect(try fetcher.fetch(Self.file(server), into: folder.url).status == .matches)
        #expect(server.requests.count == 4)
    }

    @Test func serverWithoutRangesSendsAllAgain() throws {
        let server = try LocalServer([
            Self.served { $0.cutAfter = 100_000 },
            Self.served { $0.knowsRanges = false },
        ])
        #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(server), into: folder.url) }
        #expect(try Self.fetcher.fetch(Self.file(server), into: folder.url).status == .matches)
    }

    @Test func anotherFileUnderTheAddressIsFetchedWhole() throws {
        let new = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
        let server = try LocalServer([
            Self.served { $0.cutAfter = 100_000 },
            Self.served(new) { $0.etag = "\"v2\"" },
        ])
        let file = Self.file(server, sha256: nil)
        #expect(throws: FetchError.self) { try Self.fetcher.fetch(file, into: folder.url) }
        #expect(try Self.fetcher.fetch(file, into: folder.url).sha256 == Digest.sha256(of: new))
    }

    /// Weak or no validators, and no digest: two files must not be mixed.
    @Test(arguments: [nil, "W/\"weak\""] as [String?]) func withoutValidatorOrDigestAllIsFetchedAgain(etag: String?)
        throws
    {
        let server = try LocalServer([
            Self.served {
                $0.cutAfter = 100_000
                $0.etag = etag
            },
            Self.served { $0.etag = etag },
        ])
        let file = Self.file(server, sha256: nil)
        #expect(throws: FetchError.self) { try Self.fetcher.fetch(file, into: folder.url) }
        #expect(try Self.fetcher.fetch(file, into: folder.url).sha256 == Self.sha256)
        #expect(server.requests.last?.head.contains("Range:") == false)
    }

    @Test func partOfAnotherAddressIsNotUsed() throws {
        let old = try LocalServer([Self.served { $0.cutAfter = 100_000 }])
        #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(old), into: folder.url) }
        let server = try LocalServer([Self.served()])
        #expect(try Self.fetcher.fetch(Self.file(server), into: folder.url).received == 300_000)
        #expect(server.requests.last?.head.contains("Range:") == false)
    }

    /// A part that somebody has written into is found out by the digest, and does not stay.
    @Test func damagedPartIsNotKept() throws {
        let server = try LocalServer([Self.served { $0.cutAfter = 100_000 }, Self.served(), Self.served()])
        #expect(throws: FetchError.self) { try Self.fetcher.fetch(Self.file(server), into: folder.url) }
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path + ".part"))
        try handle.seek(toOffset: 50)
        try handle.write(contentsOf: Data("damage".utf8))
        try handle.close()
        guard
            case .wrongDigest = #expect(
                throws: FetchError.self, performing: { try Self.fetcher.fetch(Self.file(server), into: folder.url) })
        else {
            Issue.record("not found out")
            return
        }
        #expect(names.isEmpty)
        #expect(try Self.fetcher.fetch(Self.file(server), into: folder.url).status == .matches)
    }

    @Test func interruptionKeepsThePart() throws {
        let server = try LocalServer([Self.served { $0.pauseInMicroseconds = 300_000 }, Self.served()])
        let bytes = Mutex(0)
        #expect(throws: FetchError.cancelled) {
            try Self.fetcher.fetch(
                Self.file(server), into: folder.url, isCancelled: { bytes.withLock { $0 > 0 } },
                progress: { progress in bytes.withLock { $0 = progress.bytes } })
        }
        #expect(names == ["data.bin.part", "data.bin.part.json"])
        #expect(try Self.fetcher.fetch(Self.file(server), into: folder.url).received < Self.content.count)
    }

    /// Descriptions of a part that nobody wrote, and parts that are no files.
    @Test func strangePartsAreStartedAnew() throws {
        let server = try LocalServer((0..<6).map { _ in Self.served() })
        for description in [
            "", "[]", "{\"address\": 1}", "{\"address\": \"\(server.url)\", \"bytes\": -5}",
            String(repeating: "x", count: 100_000),
        ] {
            _ = try folder.file("data.bin.part", Data("left over".utf8))
            _ = try folder.file("data.bin.part.json", description)
            #expect(
                try Self.fetcher.fetch(Self.file(server), into: folder.url).status == .matches,
                "\(description.prefix(40))")
            try FileManager.default.removeItem(atPath: path)
        }
        let elsewhere = try folder.file("elsewhere", "precious")
        try FileManager.default.createSymbolicLink(atPath: path + ".part", withDestinationPath: elsewhere.path)
        #expect(try error([Self.served()]) == .cannotWrite(path: path + ".part", errno: ELOOP))
        #expect(try String(contentsOf: elsewhere, encoding: .utf8) == "precious")
    }
}
