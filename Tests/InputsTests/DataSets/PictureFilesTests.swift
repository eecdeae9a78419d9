import Foundation
import TestSupport
import Testing

@testable import Inputs

@Suite struct PictureFilesTests {
    @Test func picturesAreListedByTheBytesOfTheirPaths() throws {
        let folder = try TemporaryFolder()
        let names = ["b.png", "B.JPG", "a/z.jpeg", "a.png", "é.png", "old.gif"]
        for name in names + ["README", "a/notes.txt", "._b.png", "png"] {
            let url = folder.url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(name.utf8).write(to: url)
        }
        let list = try pictures(folder)
        #expect(
            (0..<list.count).map { list.record($0).id } == ["B.JPG", "a.png", "a/z.jpeg", "b.png", "old.gif", "é.png"])
        #expect(try list.picture(2) == .encoded(Data("a/z.jpeg".utf8)))
    }

    func pictures(_ folder: TemporaryFolder) throws -> any ImageCollection {
        try PictureSource(pictures: folder.url).open(withMasks: false).collection
    }

    @Test func aFileThatIsTooLargeIsReportedAndNotRead() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("large.png")
        try Data().write(to: url)
        #expect(truncate(url.path, off_t(FileLimit.picture + 1)) == 0)
        #expect(
            throws: DataSetError.tooLarge(
                path: folder.url.path, place: "large.png", bytes: FileLimit.picture + 1, limit: FileLimit.picture)
        ) { try pictures(folder).picture(0) }
        // Among others it is left out, where bad pictures may be.
        try RGBImage(width: 4, height: 4, grey: 1).writePNG(to: folder.url.appendingPathComponent("small.png"))
        let all = try PictureSource(pictures: folder.url).open(withMasks: false)
        let list = try PictureList(all, .all, withMasks: false, onBadPicture: .skip)
        #expect(list.entries.map(\.id) == ["small.png"] && list.skipped.map(\.id) == ["large.png"])
    }

    /// Every picture of a list that is exported is decoded beforehand, in the order of the paths.
    @Test func aListForExportIsDecodedAndInOrder() throws {
        let folder = try TemporaryFolder()
        for index in 0..<20 {
            try RGBImage(width: 4, height: 4, grey: UInt8(index)).writePNG(
                to: folder.url.appendingPathComponent(String(format: "%02d.png", index)))
        }
        let all = try PictureSource(pictures: folder.url).open(withMasks: false)
        let list = try PictureList(all, .all, limit: 7, order: .collection, withMasks: false, decodesAll: true)
        #expect(list.entries.map(\.index) == Array(0..<7))
        #expect(list.entries.allSatisfy { $0.warning == nil && $0.label == nil && $0.objects == [] })
        let cut = try Data(contentsOf: folder.url.appendingPathComponent("05.png"))
        try cut.prefix(cut.count / 2).write(to: folder.url.appendingPathComponent("05.png"))
        #expect(throws: InputError.self) {
            try PictureList(all, .all, order: .collection, withMasks: false, decodesAll: true)
        }
        #expect(try PictureList(all, .all, order: .collection, withMasks: false).entries.count == 20)
    }
}
