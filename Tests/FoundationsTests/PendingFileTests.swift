import Foundation
import TestSupport
import Testing

@testable import Foundations

@Suite struct PendingFileTests {
    private func write(_ text: String, to file: PendingFile, at offset: Int = 0) throws {
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: offset) }
    }

    @Test(arguments: [true, false]) func partsComeInAnyOrderAndTheNameLast(isNameless: Bool) throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("file")
        let file = try PendingFile(for: url, followsLink: true, isNameless: isNameless)
        #expect(try folder.files().count == (isNameless ? 0 : 1))
        try file.reserve(6)
        try write("def", to: file, at: 3)
        try write("abc", to: file)
        var bytes = [UInt8](repeating: 0, count: 4)
        try bytes.withUnsafeMutableBytes { try file.read(at: 1, into: $0) }
        #expect(bytes == Array("bcde".utf8))
        #expect(!FileManager.default.fileExists(atPath: url.path))
        try file.commit()
        #expect(try String(contentsOf: url, encoding: .utf8) == "abcdef")
        #expect(try folder.files() == ["file"])
    }

    @Test(arguments: [true, false]) func whatIsNotCommittedIsNotThere(isNameless: Bool) throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("file")
        try Data("old".utf8).write(to: url)
        do {
            let file = try PendingFile(for: url, followsLink: true, isNameless: isNameless)
            try write("half", to: file)
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == "old")
        #expect(try folder.files() == ["file"])
        let file = try PendingFile(for: url, followsLink: true, isNameless: isNameless)
        try write("new", to: file)
        try file.commit()
        #expect(try String(contentsOf: url, encoding: .utf8) == "new")
        #expect(try folder.files() == ["file"])
    }

    /// A link keeps leading where it led.
    @Test func theTargetOfALinkIsReplaced() throws {
        let folder = try TemporaryFolder()
        let (url, link) = (folder.url.appendingPathComponent("file"), folder.url.appendingPathComponent("link"))
        try Data("old".utf8).write(to: url)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
        let file = try PendingFile(for: link, followsLink: true)
        try write("new", to: file)
        try file.commit()
        #expect(try String(contentsOf: url, encoding: .utf8) == "new")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == url.path)
    }

    /// Of a name that the program chose, a link is somebody's trap.
    @Test func aLinkThatNobodyNamedIsRefused() throws {
        let folder = try TemporaryFolder()
        let (url, link) = (folder.url.appendingPathComponent("file"), folder.url.appendingPathComponent("link"))
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
        #expect(throws: OutputError.refused(path: link.path, .link)) { try PendingFile(for: link, followsLink: false) }
        #expect(!FileManager.default.fileExists(atPath: url.path))
    }

    @Test func whatCannotBeWrittenIsRefusedAtOnce() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.url.appendingPathComponent("fifo")
        #expect(mkfifo(fifo.path, 0o600) == 0)
        let long = folder.url.appendingPathComponent(String(repeating: "n", count: 256))
        for url in [fifo, URL(fileURLWithPath: "/dev/null")] {
            #expect(throws: OutputError.refused(path: url.path, .notARegularFile)) {
                try PendingFile(for: url, followsLink: true)
            }
        }
        for (url, code) in [
            (folder.url, EISDIR), (long, ENAMETOOLONG), (folder.url.appendingPathComponent("none/file"), ENOENT),
            (fifo.appendingPathComponent("file"), ENOTDIR),
        ] {
            #expect(throws: OutputError.cannotWrite(path: url.path, errno: code)) {
                try PendingFile(for: url, followsLink: true)
            }
        }
        #expect(try folder.files() == ["fifo"])
    }

    /// The longest name there is leaves no room for a prefix.
    @Test func aNameMayBeAsLongAsNamesAre() throws {
        let folder = try TemporaryFolder()
        let name = String(repeating: "n", count: 255)
        let file = try PendingFile(for: folder.url.appendingPathComponent(name), followsLink: true)
        try file.commit()
        #expect(try folder.files() == [name])
    }

    @Test func readingBeyondTheEndIsAnError() throws {
        let folder = try TemporaryFolder()
        let file = try PendingFile(for: folder.url.appendingPathComponent("file"), followsLink: true)
        try write("abc", to: file)
        var bytes = [UInt8](repeating: 0, count: 4)
        #expect(throws: OutputError.self) { try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) } }
    }
}
