import Foundation
import TestSupport
import Testing

@testable import Foundations

@Suite struct RegularFileTests {
    private let folder: TemporaryFolder
    private func file(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

    init() throws { folder = try TemporaryFolder() }

    @Test func digestsOfFilesAndDataAgree() throws {
        #expect(
            Digest.sha256(of: Data("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        for size in [0, 1, 4095, 4096, 4097, (1 << 20) - 1, 1 << 20, (2 << 20) + 3] {
            let data = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            try data.write(to: file("file"))
            let opened = try RegularFile(file("file").path)
            #expect(try Digest.sha256(of: opened) == Digest.sha256(of: data))
            #expect(try opened.contents(limit: size) == data)
            #expect(try opened.map() == data)
        }
    }

    /// Whatever is there, opening it ends at once.
    @Test func whatIsNoRegularFileIsRefused() throws {
        #expect(mkfifo(file("pipe").path, 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: file("link to pipe").path, withDestinationPath: "pipe")
        try FileManager.default.createSymbolicLink(atPath: file("loop").path, withDestinationPath: "loop")
        for (path, fault) in [
            (folder.url.path, FileFault.isAFolder), (file("pipe").path, .notARegularFile),
            (file("link to pipe").path, .notARegularFile),
            ("/dev/zero", .notARegularFile), (file("none").path, .missing), (file("loop").path, .isALink),
        ] {
            #expect(throws: fault, "\(path)") { try RegularFile(path) }
        }
    }

    @Test func linksAreFollowedOnlyWhereTheyMay() throws {
        try Data("abc".utf8).write(to: file("file"))
        try FileManager.default.createSymbolicLink(atPath: file("link").path, withDestinationPath: "file")
        #expect(try RegularFile.contents(of: file("link").path, limit: 3) == Data("abc".utf8))
        #expect(throws: FileFault.isALink) {
            try RegularFile.contents(of: file("link").path, limit: 3, followsLinks: false)
        }
    }

    @Test func aLimitHolds() throws {
        try Data("abcd".utf8).write(to: file("file"))
        #expect(throws: FileFault.tooLarge(bytes: 4, limit: 3)) {
            try RegularFile.contents(of: file("file").path, limit: 3)
        }
        // A file system that calls its files empty.
        #expect(try !RegularFile.contents(of: "/proc/self/stat", limit: 4096).isEmpty)
        #expect(throws: FileFault.self) { try RegularFile.contents(of: "/proc/self/maps", limit: 10) }
    }
}

@Suite struct OutputFolderTests {
    private let folder: TemporaryFolder
    /// Beside the folder that is written to: what must stay as it is.
    private let victim: URL
    private let results: URL

    private struct Failed: Error {}

    init() throws {
        folder = try TemporaryFolder()
        victim = folder.url.appendingPathComponent("victim")
        results = folder.url.appendingPathComponent("results")
        try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
        try Data("precious".utf8).write(to: victim)
    }

    private var output: OutputFolder { OutputFolder(results) }
    private var isUntouched: Bool { (try? Data(contentsOf: victim)) == Data("precious".utf8) }

    private func link(_ name: String, to target: URL) throws {
        try FileManager.default.createSymbolicLink(at: results.appendingPathComponent(name), withDestinationURL: target)
    }

    @Test func aReplacedFileIsWholeOrAsBefore() throws {
        try output.write(Data("old".utf8), as: "table.csv")
        #expect(throws: Failed.self) {
            try output.replace("table.csv") { temporary in
                try Data("half".utf8).write(to: temporary)
                throw Failed()
            }
        }
        #expect(try Data(contentsOf: output.file("table.csv")) == Data("old".utf8))
        try output.write(Data("new".utf8), as: "table.csv")
        #expect(try Data(contentsOf: output.file("table.csv")) == Data("new".utf8))
        #expect(try folder.files() == ["results/table.csv", "victim"])
    }

    @Test func foldersAreMadeWhereTheyAreMissing() throws {
        let named = OutputFolder(results.appendingPathComponent("a/b"))
        #expect(throws: OutputError.saveFailed(path: named.url.path, errno: ENOENT, freeBytes: nil)) {
            try named.folder("c/d").write(Data("x".utf8), as: "e")
        }
        try named.make()
        try named.folder("c/d").write(Data("x".utf8), as: "e")
        #expect(try folder.files() == ["results/a/b/c/d/e", "victim"])
    }

    @Test func aSaveThatFailsNamesTheFileThatWasMeant() throws {
        try output.write(Data(), as: String(repeating: "n", count: 255))
        try output.remove(String(repeating: "n", count: 255))
        let name = String(repeating: "n", count: 256)
        #expect(throws: OutputError.self) { try output.write(Data(), as: name) }
        try Data().write(to: results.appendingPathComponent("file"))
        #expect(throws: OutputError.refused(path: output.file("file").path, .notAFolder)) {
            try output.folder("file").write(Data(), as: "a")
        }
    }

    /// A link leads elsewhere, be it the file's own name or that of a folder on the way.
    @Test func linksAreNotFollowed() throws {
        try link("table.csv", to: victim)
        try link("cache", to: folder.url)
        try link("dangling", to: folder.url.appendingPathComponent("nowhere"))
        for name in ["table.csv", "dangling"] {
            #expect(throws: OutputError.refused(path: output.file(name).path, .link)) {
                try output.write(Data("x".utf8), as: name)
            }
            #expect(throws: OutputError.refused(path: output.file(name).path, .link)) { try LockFile(name, in: output) }
        }
        let cache = OutputError.refused(path: results.appendingPathComponent("cache").path, .link)
        #expect(throws: cache) { try output.folder("cache").write(Data("x".utf8), as: "victim") }
        #expect(throws: cache) { try output.folder("cache").probe() }
        #expect(throws: cache) { try output.folder("cache").remove("victim") }
        #expect(throws: cache) { try output.folder("cache").removeTemporaries(recursively: true) }
        #expect(throws: cache) { try output.folder("cache/inner").remove() }
        #expect(isUntouched)
        #expect(!FileManager.default.fileExists(atPath: folder.url.appendingPathComponent("nowhere").path))
        // What removes takes the link and not what it leads to.
        try output.folder("cache").remove()
        #expect(isUntouched)
        #expect(!FileManager.default.fileExists(atPath: output.file("cache").path))
    }

    @Test func theFolderItselfMayBeALink() throws {
        let link = folder.url.appendingPathComponent("by link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: results)
        try OutputFolder(link).folder("cache").write(Data("x".utf8), as: "a")
        #expect(try folder.files().contains("results/cache/a"))
    }

    @Test func pipesAndOtherNamesAreRefused() throws {
        #expect(mkfifo(output.file("pipe").path, 0o600) == 0)
        #expect(throws: OutputError.refused(path: output.file("pipe").path, .notARegularFile)) {
            try output.write(Data(), as: "pipe")
        }
        #expect(throws: OutputError.refused(path: output.file("pipe").path, .notARegularFile)) {
            try LockFile("pipe", in: output)
        }
        #expect(Foundation.link(victim.path, output.file(".lock").path) == 0)
        #expect(throws: OutputError.refused(path: output.file(".lock").path, .severalNames)) {
            try LockFile(".lock", in: output)
        }
        #expect(isUntouched)
    }

    /// Who may write into a folder of everybody's is nobody to be trusted; root may be anybody.
    @Test(.enabled(if: geteuid() == 0)) func whatIsAStrangersIsRefused() throws {
        try output.write(Data("x".utf8), as: "table.csv")
        try output.folder("cache").make()
        for name in ["table.csv", "cache"] { #expect(chown(output.file(name).path, 12_345, 12_345) == 0) }
        try output.write(Data("y".utf8), as: "table.csv")
        #expect(chown(output.file("table.csv").path, 12_345, 12_345) == 0)
        #expect(chmod(results.path, 0o1777) == 0)
        #expect(throws: OutputError.refused(path: output.file("table.csv").path, .strangers(user: 12_345))) {
            try output.write(Data("z".utf8), as: "table.csv")
        }
        #expect(throws: OutputError.refused(path: output.file("cache").path, .strangers(user: 12_345))) {
            try output.folder("cache").write(Data("z".utf8), as: "a")
        }
    }

    @Test func onlyOurOwnIncompleteFilesAreRemoved() throws {
        let own = OutputFolder.newTemporaryName(for: "table.csv")
        let foreign = [
            ".tmp-editor", ".clip-lens-notes", ".clip-lens-0a-1-2-b-3.part.keep", ".clip-lens-0a-1-2-b-x.part",
            "a.part",
        ]
        for name in foreign + [own, own + "-journal"] { try Data().write(to: output.file(name)) }
        try output.folder("cache/a/b").make()
        try Data().write(to: output.folder("cache/a/b").file(own))
        try output.removeTemporaries(recursively: false)
        #expect(
            Set(try folder.files()) == Set(foreign.map { "results/\($0)" } + ["results/cache/a/b/\(own)", "victim"]))
        try output.folder("cache").removeTemporaries(recursively: true)
        #expect(Set(try folder.files()) == Set(foreign.map { "results/\($0)" } + ["victim"]))
    }

    @Test func aLockThatWasRemovedIsOutOfPlace() throws {
        let lock = try LockFile(".lock", in: output)
        #expect(try lock.tryLock() && lock.isInPlace)
        #expect(try !LockFile(".lock", in: output).tryLock())
        lock.say(Data("me".utf8))
        #expect(lock.text == Data("me".utf8))
        try FileManager.default.removeItem(at: output.file(".lock"))
        #expect(!lock.isInPlace)
        #expect(try LockFile(".lock", in: output).tryLock())
        #expect(!lock.isInPlace)
    }
}
