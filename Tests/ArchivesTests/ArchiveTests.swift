import Foundation
import TestSupport
import Testing

@testable import Archives

@Suite struct ArchiveTests {
    static let archives = [
        "gnu.tar", "pax.tar", "dotted.tar", "gnu-tar.tar", "pax.tar.gz", "members.tar.gz", "pax.tar.bz2",
        "pax.tar.xz", "pax.tar.zst", "stored.zip", "deflated.zip", "descriptors.zip", "zip64.zip",
        "commented.zip", "info-zip.zip",
    ]

    @Test(arguments: archives) func everyFileIsRead(name: String) throws {
        let files = try Samples.files()
        let archive = try Archive(path: Samples.path(name))
        #expect(Set((0..<archive.count).map(archive.path)) == Set(files.keys))
        for (path, bytes) in files {
            let file = try #require(archive.file(at: path))
            #expect(archive.path(of: file) == path)
            #expect(archive.size(of: file) == bytes.count)
            #expect(try archive.contents(of: file) == bytes)
        }
        var passed: [String: [UInt8]] = [:]
        try archive.forEach(where: { archive.size(of: $0) > 5 }) { passed[archive.path(of: $0)] = $1 }
        #expect(passed == files.filter { $0.value.count > 5 })
        #expect(archive.file(at: "folder") == nil, "folders are no files")
        #expect(archive.file(at: "A.txt") == nil)
    }

    /// Names of ustar have two fields.
    @Test func ustarPrefixesBelongToNames() throws {
        let archive = try Archive(path: Samples.path("ustar.tar"))
        let longest = try #require(Samples.files().keys.first { $0.hasPrefix("longest") })
        #expect(try archive.contents(at: longest) == Array("longer than a name field".utf8))
    }

    /// A name of exactly 100 bytes fills its field, without a zero byte at its end.
    @Test func namesAreReadAsStored() throws {
        var tar = TarBuilder()
        let names = [String(repeating: "n", count: 100), " blanks ", "back\\slash", "e\u{301}", "\u{e9}", "new\nline"]
        for name in names { tar.add(name, data: name) }
        let file = try TemporaryFile(tar.closed)
        let archive = try Archive(path: file.path)
        #expect((0..<archive.count).map { Array(archive.path(of: $0).utf8) } == names.map { Array($0.utf8) })
        for name in names { #expect(try archive.contents(at: name) == Array(name.utf8)) }
    }

    @Test func tarsInATarAreFolders() throws {
        let archive = try Archive(path: Samples.path("nested.tar"))
        #expect(
            (0..<archive.count).map(archive.path) == [
                "n01.tar/n01_1.JPEG", "n01.tar/n01_2.JPEG", "n02.tar/n02_1.JPEG", "readme",
            ])
        #expect(try archive.contents(at: "n01.tar/n01_1.JPEG") == Array("one".utf8))
        #expect(try archive.contents(at: "n01.tar/n01_2.JPEG") == [UInt8](repeating: 0, count: 700))
        #expect(try archive.contents(at: "n02.tar/n02_1.JPEG") == Array("three".utf8))
        #expect(archive.files(under: "n01.tar") == [0, 1])
        #expect(archive.files(under: "n0") == [])
        #expect(archive.files() == [0, 1, 2, 3])
    }

    @Test func partsOfPlainFilesAreRead() throws {
        let bytes = try #require(try Samples.files()["folder/b.bin"])
        for name in ["pax.tar", "stored.zip"] {
            let archive = try Archive(path: Samples.path(name))
            let file = try #require(archive.file(at: "folder/b.bin"))
            #expect(try archive.contents(of: file, in: 100..<900) == Array(bytes[100..<900]))
            #expect(throws: ArchiveError.self) { try archive.contents(of: file, in: 0..<1501) }
        }
        let deflated = try Archive(path: Samples.path("deflated.zip"))
        let file = try #require(deflated.file(at: "folder/b.bin"))
        #expect(throws: ArchiveError.self) { try deflated.contents(of: file, in: 0..<1) }
    }

    @Test func severalThreadsReadAtOnce() throws {
        let files = try Samples.files()
        for name in ["pax.tar", "deflated.zip", "pax.tar.xz"] {
            let archive = try Archive(path: Samples.path(name))
            let wrong = Counter()
            DispatchQueue.concurrentPerform(iterations: 200) { iteration in
                let file = iteration % archive.count
                if (try? archive.contents(of: file)) != files[archive.path(of: file)] { wrong.increment() }
            }
            #expect(wrong.count == 0)
        }
    }

    @Test func crc32IsThatOfZip() {
        #expect(Array("123456789".utf8).withUnsafeBytes(CRC32.of) == 0xCBF4_3926)
        #expect([UInt8]().withUnsafeBytes(CRC32.of) == 0)
        #expect([UInt8](repeating: 0xFF, count: 32).withUnsafeBytes(CRC32.of) == 0xFF6C_AB0B)
    }
}

private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    func increment() { lock.withLock { value += 1 } }
    var count: Int { lock.withLock { value } }
}
