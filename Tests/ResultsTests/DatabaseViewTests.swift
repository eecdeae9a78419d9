import Foundation
import Pipeline
import TestSupport
import Testing

@testable import Results

/// What readers see while nobody writes, while somebody does, and where there is no room for a copy.
@Suite struct DatabaseViewTests {
    private let folder: TemporaryFolder
    private let temporary: TemporaryFolder
    private let url: URL
    /// A folder in which nothing can be made.
    private let nowhere = URL(fileURLWithPath: "/proc/no-such-folder", isDirectory: true)

    init() throws {
        (folder, temporary) = (try TemporaryFolder(), try TemporaryFolder())
        url = folder.file("results ?#%.sqlite")
    }

    @discardableResult
    private func write(_ value: Double = 0.5, with database: ResultsDatabase) throws -> Int64 {
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: RunRows(metrics: [Sample.metric(value)]))
        return run.id
    }

    private func writeAtRest() throws {
        let database = try ResultsDatabase(writingTo: url)
        try write(with: database)
        try database.close()
    }

    private func values(_ database: ResultsDatabase) throws -> [Double?] {
        try database.runs().flatMap { try database.metrics(of: $0).map(\.value) }
    }

    @Test func whatNobodyWritesToIsReadWithoutACopy() throws {
        try writeAtRest()
        let before = try (folder.names(), Data(contentsOf: url))
        #expect(try DatabaseView(of: url, temporary: nowhere).read(values) == [0.5])
        #expect(try (folder.names(), Data(contentsOf: url)) == before)
    }

    @Test func whatSomebodyWritesToIsReadFromACopyThatHasNoName() throws {
        let writer = try ResultsDatabase(writingTo: url)
        try write(with: writer)
        let before = try folder.names()
        let view = try DatabaseView(of: url, temporary: temporary.url)
        try write(0.75, with: writer)
        let (read, left) = try view.read { (try values($0), try temporary.names()) }
        #expect(read == [0.5] && left == [])
        #expect(try DatabaseView(of: url, temporary: temporary.url).read(values) == [0.75, 0.5])
        #expect(try folder.names() == before && temporary.names() == [])
        try writer.close()
    }

    /// A killed run leaves the journal, and a killed reader of an earlier program nothing that counts.
    @Test func aLinkToADatabaseIsReadAsTheDatabaseWithItsJournal() throws {
        let writer = try ResultsDatabase(writingTo: url)
        try write(with: writer)
        let link = temporary.file("link.sqlite")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
        #expect(try DatabaseView(of: link).read(values) == [0.5])
        try writer.close()
    }

    @Test func whatIsWrittenDuringTheReadingHasItReadAgain() throws {
        try writeAtRest()
        let view = try DatabaseView(of: url, temporary: temporary.url)
        var looks = 0
        let read = try view.read { database in
            looks += 1
            if looks == 1 {
                let writer = try ResultsDatabase(writingTo: url)
                try write(0.75, with: writer)
                try writer.close()
                // As if pages of two times had been read.
                throw ResultsError.damaged(path: url.path, message: "torn")
            }
            return try values(database)
        }
        #expect(read == [0.75, 0.5] && looks == 2)
        // An error that nobody's writing explains stays one.
        let error = ResultsError.damaged(path: url.path, message: "really")
        #expect(throws: error) { try view.read { _ in throw error } }
    }

    @Test func noRoomForACopyIsSaidWithTheFolderAndTheBytes() throws {
        let writer = try ResultsDatabase(writingTo: url)
        try write(with: writer)
        let error = #expect(throws: ResultsError.self) { try DatabaseView(of: url, temporary: nowhere) }
        guard case .cannotCopy(url.path, nowhere.path, let needed, _, ENOENT) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(needed > 4096)
        try writer.close()
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "needs the right to mount a file system"))
    func aFullDiskForCopiesIsNoDamage() throws {
        let disk = try SmallDisk()
        let writer = try ResultsDatabase(writingTo: url)
        try write(with: writer)
        try Data(count: 1000 << 10).write(to: disk.url.appendingPathComponent("filler"))
        let error = #expect(throws: ResultsError.self) { try DatabaseView(of: url, temporary: disk.url) }
        guard case .cannotCopy(url.path, disk.url.path, let needed, let free?, ENOSPC) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(free < needed)
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.url.path) == ["filler"])
        try writer.close()
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "needs the right to mount a file system"))
    func holesTakeNoRoom() throws {
        let disk = try SmallDisk()
        let writer = try ResultsDatabase(writingTo: url)
        try write(with: writer)
        #expect(truncate(url.path, 1 << 40) == 0)
        #expect(try DatabaseView(of: url, temporary: disk.url).read(values) == [0.5])
        #expect(truncate(url.path, 0) == 0)
        withExtendedLifetime(writer) {}
    }

    @Test func aFileWithoutRunsIsNoDamage() throws {
        try Data().write(to: url)
        #expect(throws: ResultsError.noResults(path: url.path)) { try DatabaseView(of: url) }
        let error = #expect(throws: PipelineError.self) { try DatabaseView(of: folder.file("none")) }
        guard case .cannotRead(folder.file("none").path, .missing) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
