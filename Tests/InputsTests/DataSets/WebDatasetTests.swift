import Archives
import Foundation
import TestSupport
import Testing

@testable import Inputs

/// Shards as CLIP_benchmark has them, written by the library webdataset.
@Suite struct WebDatasetTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try FileManager.default.removeItem(at: folder.url)
        try FileManager.default.copyItem(at: DataSetFixtures.url("webdataset"), to: folder.url)
    }

    private func open(_ split: String = "test") throws -> LabelledPictures {
        try PictureSource(
            .webDataset, split: split, path: folder.url, data: folder.url, classes: PictureSourceTests.classes
        ).open(withMasks: false)
    }

    @Test(arguments: ["test", "val"]) func picturesAndLabelsAreThoseOfTheLibrary(split: String) throws {
        let pictures = try open(split)
        try expectEqual(pictures.collection, "webdataset-\(split)")
        #expect(pictures.templates == ["a photo of a {}.", "the {}."])
        #expect(pictures.labels(0) == (split == "test" ? [2] : [0, 2]))
    }

    @Test func aListKeepsTheSentences() throws {
        let list = try PictureList(open(), .all, withMasks: false)
        #expect(list.entries.count == 4 && list.templates == ["a photo of a {}.", "the {}."])
        try FileManager.default.removeItem(
            at: folder.url.appendingPathComponent("zeroshot_classification_templates.txt"))
        #expect(try PictureList(open(), .all, withMasks: false).templates == nil)
    }

    static let changes: [(file: String, text: String)] = [
        ("classnames.txt", "red\nblue"), ("classnames.txt", ""), ("test/nshards.txt", "3"), ("test/nshards.txt", "0"),
        ("test/nshards.txt", "two"), ("test/nshards.txt", "1000000000"), ("test/1.tar", ""), ("test/1.tar", "no tar"),
    ]

    @Test(arguments: changes) func whatDoesNotFitIsRefused(file: String, text: String) throws {
        try Data(text.utf8).write(to: folder.url.appendingPathComponent(file))
        #expect(throws: (any Error).self) { try open() }
    }

    @Test func aSplitThatIsNotThereIsNamed() throws {
        guard case .notThere("webdataset", _, ["train/nshards.txt"], _)? = dataSetError({ try open("train") }) else {
            Issue.record("not the error of a missing split")
            return
        }
    }

    /// Samples of a shard that somebody else wrote.
    @Test(arguments: [
        [("a.jpg", "x")], [("a.cls", "1")], [("a.jpg", "x"), ("a.cls", "one")], [("a.jpg", "x"), ("a.cls", "3")],
        [("a.jpg", "x"), ("a.cls", "-1")], [("a.jpg", "x"), ("a.png", "x"), ("a.cls", "1")],
        [("a.jpg", "x"), ("a.npy", "1")], [("a.jpg", "x"), ("a.npy", "\u{93}NUMPY")],
    ]) func shardsWithoutRhymeAreRefused(files: [(String, String)]) throws {
        var tar = TarBuilder()
        for (name, text) in files { tar.add(name, data: text) }
        try Data(tar.closed).write(to: folder.url.appendingPathComponent("test/0.tar"))
        let error = #expect(throws: (any Error).self) { try open() }
        #expect("\(String(describing: error))".contains("0.tar"), "\(String(describing: error))")
    }

    /// Whatever a byte of a label's array is changed to, the reader ends with labels of the set or with an error.
    @Test func changedArraysAreReadOrRefused() throws {
        let url = folder.url.appendingPathComponent("val/0.tar")
        let bytes = try Data(contentsOf: url)
        let start = try #require(bytes.range(of: Data("NUMPY".utf8))).lowerBound - 1
        for place in start..<start + 160 {
            for value: UInt8 in [0, 0x27, 0x39, 0xFF] {
                var changed = bytes
                changed[place] = value
                try changed.write(to: url)
                guard let pictures = try? open("val") else { continue }
                #expect((0..<pictures.count).allSatisfy { pictures.labels($0).allSatisfy((0..<3).contains) })
            }
        }
    }
}
