import Foundation
import TestSupport
import Testing

@testable import Inputs

@Suite struct PictureFilesTests {
    @Test func picturesAreListedByTheBytesOfTheirPathsAndReadOnce() throws {
        let folder = try TemporaryFolder()
        let names = ["b.png", "B.JPG", "a/z.jpeg", "a.png", "é.png", "old.gif"]
        for name in names + ["README", "a/notes.txt", "._b.png", "png"] {
            let url = folder.url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(name.utf8).write(to: url)
        }
        let files = try PictureFiles(at: folder.url.path)
        #expect(files.paths == ["B.JPG", "a.png", "a/z.jpeg", "b.png", "old.gif", "é.png"])
        var found: [Int: String] = [:]
        try files.forEach(first: 3) { index, bytes in
            #expect(found[index] == nil)
            found[index] = String(decoding: try bytes.get(), as: UTF8.self)
        }
        #expect(found == [0: "B.JPG", 1: "a.png", 2: "a/z.jpeg"])
    }

    @Test func aFileThatIsTooLargeIsReportedAndNotRead() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("large.png")
        try Data().write(to: url)
        #expect(truncate(url.path, off_t(FileLimit.picture + 1)) == 0)
        var faults: [DataSetError] = []
        try PictureFiles(at: folder.url.path).forEach(first: 1) { _, bytes in
            if case .failure(let fault) = bytes { faults.append(fault) }
        }
        #expect(
            faults == [
                .tooLarge(
                    path: folder.url.path, place: "large.png", bytes: FileLimit.picture + 1, limit: FileLimit.picture)
            ])
    }
}
