import Foundation
import Foundations
import Pipeline
import TestSupport
import Testing

@testable import Results

/// Links, pipes and devices in the places of the database and of its journals.
@Suite(.timeLimit(.minutes(1))) struct PlainFileTests {
    private let folder: TemporaryFolder
    private let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("results.sqlite")
        try Sample.database(at: url)
    }

    enum Thing: String, CaseIterable {
        case link = "a link", danglingLink = "a link ", pipe = "a pipe", device = "a device", folder = "a folder"
    }

    private func put(_ thing: Thing, at path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        switch thing {
        case .link:
            try Data().write(to: folder.file("target"))
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.file("target").path)
        case .danglingLink:
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: folder.file("target").path)
        case .pipe: #expect(mkfifo(path, 0o600) == 0)
        case .device: try #require(mknod(path, S_IFCHR | 0o666, 0x105) == 0)  // /dev/zero
        case .folder: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
    }

    static let places = ["", "-wal", "-shm", "-journal"]

    @Test(arguments: Thing.allCases, places) func aWriterRefusesIt(thing: Thing, place: String) throws {
        if thing == .device && geteuid() != 0 { return }
        let path = url.path + place
        try put(thing, at: path)
        let found = thing.rawValue.trimmingCharacters(in: .whitespaces)
        #expect(throws: ResultsError.notAPlainFile(path: path, found: found)) { try ResultsDatabase(writingTo: url) }
        let target = try? Data(contentsOf: folder.file("target"))
        #expect(target == (thing == .link ? Data() : nil))
    }

    /// As where it is put there between the check and the opening.
    @Test(arguments: Thing.allCases, places.dropFirst()) func sqliteItselfOpensNoneOfThem(thing: Thing, place: String)
        throws
    {
        if thing == .device && geteuid() != 0 { return }
        let database = try ResultsDatabase(writingTo: folder.file("other.sqlite"))
        let attached = folder.file("attached.sqlite").path
        // A database of the kind that has the journal.
        let mode = place == "-journal" ? "DELETE" : "WAL"
        try database.withoutTransaction {
            try $0.execute(sql: "ATTACH ? AS a; PRAGMA a.journal_mode = \(mode)", arguments: [attached])
        }
        try database.withoutTransaction { try $0.execute(sql: "CREATE TABLE a.t (x); DETACH a") }
        try put(thing, at: attached + place)
        #expect(throws: ResultsError.self) {
            try database.withoutTransaction {
                try $0.execute(sql: "ATTACH ? AS a; INSERT INTO a.t VALUES (1)", arguments: [attached])
            }
        }
        let target = try? Data(contentsOf: folder.file("target"))
        #expect(target == (thing == .link ? Data() : nil))
    }

    @Test(arguments: [Thing.pipe, .device, .folder], ["", "-wal", "-journal"]) func aReaderRefusesIt(
        thing: Thing, place: String
    ) throws {
        if thing == .device && geteuid() != 0 { return }
        let path = url.path + place
        try put(thing, at: path)
        let fault: FileFault = thing == .folder ? .isAFolder : .notARegularFile
        #expect(throws: ResultsError.notAPlainFile(path: path, found: fault.text)) { try DatabaseView(of: url) }
    }

    /// In a folder that everybody may write to: elsewhere, the folder's owner has let them in.
    @Test(.enabled(if: geteuid() == 0)) func aStrangersFileIsReadAndNotWrittenTo() throws {
        #expect(chown(url.path, 12_345, 12_345) == 0)
        try ResultsDatabase(writingTo: url).close()
        #expect(chmod(folder.url.path, 0o1777) == 0)
        let error = #expect(throws: ResultsError.self) { try ResultsDatabase(writingTo: url) }
        guard case .notAPlainFile(url.path, let found)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found.hasPrefix("a file of another user"))
        #expect(try DatabaseView(of: url).read { try $0.runs(of: "mean-ablation").count } == 1)
    }

    /// What is saved into a file that has no name any more is lost.
    @Test func aDatabaseThatIsRemovedUnderItsWriterIsMissed() throws {
        let database = try ResultsDatabase(writingTo: url)
        try database.checkInPlace()
        try FileManager.default.removeItem(at: url)
        #expect(throws: ResultsError.removed(path: url.path)) { try database.checkInPlace() }
        try ResultsDatabase(writingTo: url).close()
        #expect(throws: ResultsError.removed(path: url.path)) { try database.checkInPlace() }
    }
}
