import Foundation
import Inputs
import TestSupport
import Testing

@Suite struct PictureListTests {
    /// Folders of classes with three pictures, one of them cut where `isCut`.
    func pictures(isCut: Bool = false, grey: UInt8 = 7) throws -> (folder: TemporaryFolder, pictures: LabelledPictures)
    {
        let folder = try TemporaryFolder()
        for (index, path) in ["a/one.png", "a/two.png", "b/three.png"].enumerated() {
            let url = folder.url.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            let png = try RGBImage(width: 9 + index, height: 8, grey: grey).png(for: path)
            try (isCut && index == 1 ? png.prefix(png.count / 2) : png).write(to: url)
        }
        let source = try PictureSource(
            .classFolders, split: nil, path: folder.url, data: folder.url, classes: PictureSourceTests.classes)
        return (folder, try source.open(withMasks: false))
    }

    @Test func aListHasIdsAndLabels() throws {
        let (folder, pictures) = try pictures()
        defer { withExtendedLifetime(folder) {} }
        let list = try PictureList(pictures, .all, withMasks: false)
        #expect(list.classNames == ["a", "b"])
        let entries = list.entries.sorted { $0.index < $1.index }
        #expect(entries.map(\.id) == ["a/one.png", "a/two.png", "b/three.png"])
        #expect(entries.map(\.label) == [0, 0, 1] && entries.map(\.objects) == [[0], [0], [1]])
        #expect(list.skipped.isEmpty)
        #expect(try PictureList(pictures, .every(2), withMasks: false).entries.map(\.index).sorted() == [0])
    }

    /// Numbers of masks stand for classes in sorted order, not in that of the table.
    @Test func aMaskOfOtherClassesIsRefusedOrListed() throws {
        let folder = try TemporaryFolder()
        let rows = [("one.png", "dog", UInt8(2)), ("two.png", "cat", 2), ("three.png", "cat", 0)]
        try Data(("path,label,mask\n" + rows.map { "\($0.0),\($0.1),mask-\($0.0)\n" }.joined()).utf8)
            .write(to: folder.url.appendingPathComponent("table.csv"))
        for (name, _, number) in rows {
            try RGBImage(width: 2, height: 2, grey: 9).writePNG(to: folder.url.appendingPathComponent(name))
            try LabelPNG.data(width: 2, height: 2, [0, number, number, 0]).write(
                to: folder.url.appendingPathComponent("mask-\(name)"))
        }
        let pictures = try PictureSource(
            .imageTable, split: nil, path: folder.url.appendingPathComponent("table.csv"), data: folder.url,
            classes: PictureSourceTests.classes
        ).open(withMasks: true)
        let place = folder.url.resolvingSymlinksInPath().appendingPathComponent("two.png").path
        #expect(throws: DataSetError.maskOfOtherClasses(picture: place, label: "cat", shown: ["dog"])) {
            try PictureList(pictures, .all, withMasks: true)
        }
        // A mask that shows nothing is none of other classes.
        let list = try PictureList(pictures, .all, withMasks: true, onBadPicture: .skip)
        #expect(list.skipped.map { "\($0.id): \($0.reason)" } == ["two.png: its mask shows dog and not cat"])
        #expect(list.entries.count == 2)
    }

    /// Sets stand in the order of their classes: the first pictures of a list have to show more than the first ones.
    @Test func aListStandsInAFixedRandomOrder() throws {
        let folder = try TemporaryFolder()
        for index in 0..<40 {
            let url = folder.url.appendingPathComponent("\(index / 10)/\(index).png")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try RGBImage(width: 2, height: 2, grey: UInt8(index)).png(for: "").write(to: url)
        }
        let source = try PictureSource(
            .classFolders, split: nil, path: folder.url, data: folder.url, classes: PictureSourceTests.classes)
        let pictures = try source.open(withMasks: false)
        let all = try PictureList(pictures, .all, withMasks: false)
        #expect(all.entries.map(\.index).sorted() == Array(0..<40))
        #expect(try PictureList(pictures, .all, withMasks: false) == all)
        let first = try PictureList(pictures, .all, limit: 10, withMasks: false)
        #expect(first.entries == Array(all.entries.prefix(10)))
        #expect(Set(first.entries.map(\.label)).count > 2)
    }

    @Test func theDigestIsOfTheContents() throws {
        func digest(_ sampling: ImageSampling = .all, grey: UInt8 = 7) throws -> String {
            let (folder, pictures) = try pictures(grey: grey)
            defer { withExtendedLifetime(folder) {} }
            return try PictureList(pictures, sampling, withMasks: false).digest
        }
        // Other files with the same contents are the same set.
        #expect(try digest() == digest())
        #expect(try digest() != digest(grey: 8))
        #expect(try digest() != digest(.first(2)))
    }

    @Test func picturesThatCannotBeReadAreSkippedWhereThatIsAskedFor() throws {
        let (folder, pictures) = try pictures(isCut: true)
        defer { withExtendedLifetime(folder) {} }
        // Nothing is decoded here: the step that needs the picture says what is wrong.
        let whole = try PictureList(pictures, .all, withMasks: false)
        #expect(whole.entries.count == 3)
        let list = try PictureList(pictures, .all, withMasks: false, onBadPicture: .skip)
        #expect(
            Set(list.entries.map(\.id)) == ["a/one.png", "b/three.png"] && Set(list.entries.map(\.index)) == [0, 2])
        #expect(list.skipped.map(\.id) == ["a/two.png"])
        #expect(list.skipped.allSatisfy { $0.reason.contains("PNG") }, "\(list.skipped)")
        let cut = try #require(whole.entries.first { $0.index == 1 })
        #expect(throws: InputError.self) { try pictures.image(cut) }
    }

    @Test func aListWithoutAnyPictureIsRefused() throws {
        let (folder, pictures) = try pictures(isCut: true)
        defer { withExtendedLifetime(folder) {} }
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("a/one.png"))
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("b"))
        let source = try PictureSource(
            .classFolders, split: nil, path: folder.url, data: folder.url, classes: PictureSourceTests.classes)
        #expect(pictures.count == 3)
        #expect(throws: DataSetError.self) {
            try PictureList(source.open(withMasks: false), .all, withMasks: false, onBadPicture: .skip)
        }
    }

    @Test func aMaskGivesAPictureItsClass() throws {
        let folder = try TemporaryFolder()
        try DataSetFixtures.archive("pairs.tar").unpack(into: folder.url) {
            String($0.split(separator: "/", maxSplits: 1).last ?? "")
        }
        try Data("red\ngreen\nblue\n".utf8).write(to: folder.url.appendingPathComponent("classes.txt"))
        let source = try PictureSource(
            .imageMaskPairs, split: nil, path: folder.url, data: folder.url, classes: PictureSourceTests.classes)
        let list = try PictureList(source.open(withMasks: true), .all, withMasks: true)
        let expected = try DataSetFixtures.expected("pairs")
        #expect(list.classNames == expected.classNames)
        for (entry, record) in zip(list.entries.sorted { $0.index < $1.index }, expected.records) {
            let shown = Set(record.mask?.labels ?? []).subtracting([0, .max]).map { Int($0) - 1 }.sorted()
            #expect(entry.objects == shown && entry.label == (shown.count == 1 ? shown[0] : nil))
        }
    }

    /// A list that is kept goes stale with any of its files, not with the table alone.
    @Test func aTableDependsOnItsPicturesAndMasks() throws {
        let source = try PictureSource(
            .imageTable, split: nil, path: DataSetFixtures.url("table/table.csv"), data: DataSetFixtures.folder,
            classes: PictureSourceTests.classes)
        let files = try source.files().map(\.lastPathComponent)
        #expect(Set(files) == ["table.csv", "one.jpg", "one-mask.png", "two \"2\".png", "three.jpg"], "\(files)")
    }

    @Test func indicesOfATableAreThoseOfTheClassesGiven() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b"] {
            try RGBImage(width: 2, height: 2, grey: 1).png(for: name).write(
                to: folder.url.appendingPathComponent(name + ".png"))
        }
        let table = folder.url.appendingPathComponent("table.csv")
        try Data("path,label\na.png,3\nb.png,1\n".utf8).write(to: table)
        func list(_ classes: URL?) throws -> PictureList {
            let source = try PictureSource(
                .imageTable, split: nil, path: table, data: folder.url, classes: PictureSourceTests.classes,
                tableClasses: classes)
            return try PictureList(source.open(withMasks: false), .all, withMasks: false)
        }
        let names = folder.url.appendingPathComponent("names.txt")
        try Data("one\ntwo\nthree\nfour\n".utf8).write(to: names)
        let given = try list(names)
        #expect(given.classNames == ["one", "two", "three", "four"])
        #expect(Dictionary(uniqueKeysWithValues: given.entries.map { ($0.id, $0.label) }) == ["a.png": 3, "b.png": 1])
        #expect(try list(nil).classNames == ["1", "3"])
    }

    /// Pictures that are overwritten after they were listed, and restored later, never reach a result.
    @Test func aPictureThatChangedIsNotTheOneThatWasListed() throws {
        let (folder, pictures) = try pictures()
        let list = try PictureList(pictures, .all, withMasks: false)
        for entry in list.entries { _ = try pictures.image(entry) }
        let entry = try #require(list.entries.first { $0.id == "b/three.png" })
        let url = folder.url.appendingPathComponent("b/three.png")
        let before = try Data(contentsOf: url)
        // Another picture that decodes.
        try RGBImage(width: 9, height: 9, grey: 7).png(for: "").write(to: url)
        #expect(throws: DataSetError.changed(place: folder.url.path + "/b/three.png")) { try pictures.image(entry) }
        try before.write(to: url)
        _ = try pictures.image(entry)
        // The set may be opened again: then a number may stand for another picture.
        try before.write(to: folder.url.appendingPathComponent("a/0.png"))
        let again = try PictureSource(
            .classFolders, split: nil, path: folder.url, data: folder.url, classes: PictureSourceTests.classes
        ).open(withMasks: false)
        #expect(throws: DataSetError.self) { try again.image(entry) }
    }
}
