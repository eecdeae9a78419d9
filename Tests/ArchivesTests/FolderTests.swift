import Foundation
import Testing

@testable import Archives

@Suite struct FolderTests {
    /// A folder with the files of the sample archives.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.path + "/folder-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (path, bytes) in try Samples.files() {
            let url = URL(fileURLWithPath: root + "/" + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
        }
        try body(root)
    }

    @Test func foldersReadAsArchivesDo() throws {
        try withFolder { root in
            let (folder, archive) = (try openFiles(at: root), try openFiles(at: Samples.path("pax.tar")))
            #expect(folder.count == archive.count)
            for (mine, theirs) in zip(folder.files(), archive.files()) {
                #expect(folder.path(of: mine) == archive.path(of: theirs))
                #expect(try folder.size(of: mine) == archive.size(of: theirs))
                #expect(try folder.contents(of: mine) == archive.contents(of: theirs))
                #expect(folder.file(at: folder.path(of: mine)) == mine)
            }
            #expect(folder.files(under: "folder").map(folder.path) == archive.files(under: "folder").map(archive.path))
            #expect(folder.files(under: "folder").count == 3)
            #expect(folder.files(under: "zzz") == [] && archive.files(under: "zzz") == [])
            #expect(throws: ArchiveError.noSuchFile(location: root, path: "none")) { try folder.contents(at: "none") }
        }
    }

    @Test func filesBeyondTheLimitAreNotRead() throws {
        try withFolder { root in
            let folder = try Folder(path: root, limits: ArchiveLimits(entryBytes: 1000))
            let path = "folder/b.bin"
            #expect(
                throws: ArchiveError.refusedInFolder(
                    location: root, entry: path, defect: .tooLarge(bytes: 1500, limit: 1000))
            ) {
                try folder.contents(at: path)
            }
        }
    }

    @Test func linksWithinTheFolderAreFiles() throws {
        try withFolder { root in
            #expect(symlink("../a.txt", root + "/folder/link") == 0)
            let folder = try Folder(path: root)
            #expect(try folder.contents(at: "folder/link") == folder.contents(at: "a.txt"))
        }
    }

    @Test(arguments: ["/etc/hostname", "../../..", "..", "nowhere", "/"])
    func otherLinksAreRefused(target: String) throws {
        try withFolder { root in
            #expect(symlink(target, root + "/folder/link") == 0)
            #expect(
                throws: ArchiveError.refusedInFolder(location: root, entry: "folder/link", defect: .symbolicLink)
            ) {
                try Folder(path: root)
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func pipesAreRefusedWithoutWaiting() throws {
        try withFolder { root in
            #expect(mkfifo(root + "/pipe", 0o600) == 0)
            #expect(throws: ArchiveError.refusedInFolder(location: root, entry: "pipe", defect: .device)) {
                try Folder(path: root)
            }
            #expect(throws: ArchiveError.cannotRead(path: root + "/pipe", .notARegularFile)) {
                try Archive(path: root + "/pipe")
            }
        }
    }

    @Test func whatIsMissingIsNamed() {
        #expect(throws: ArchiveError.cannotRead(path: "/nonexistent", .missing)) { try openFiles(at: "/nonexistent") }
    }
}
