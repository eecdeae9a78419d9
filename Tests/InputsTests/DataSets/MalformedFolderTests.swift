import Archives
import Foundation
import TestSupport
import Testing

@testable import Inputs

/// Folders and tables whose files contradict each other are refused with the file and the place.
@Suite struct MalformedFolderTests {
    typealias Fixture = DataSetFixtures

    @Test func pairs() throws {
        let whole = try MemoryFiles(Fixture.archive("pairs.tar"))
        func set(classes: Int = 3, _ change: (inout MemoryFiles) -> Void) throws -> ImageMaskPairs {
            var files = whole
            change(&files)
            return try ImageMaskPairs(files, classNames: (0..<classes).map { "class \($0)" })
        }
        #expect(
            dataSetError { try set { $0["pairs/masks/b.png"] = nil } }
                == .missingMask(path: "/memory/pairs/masks/", picture: "b.jpg"))
        #expect(
            dataSetError { try set { $0["pairs/masks/z.png"] = [1] } }
                == .unknownPicture(path: "/memory/pairs/images/", place: "masks/z.png", picture: "z"))
        #expect(
            dataSetError { try set { $0["pairs/images/b.png"] = [1] } }
                == .pictureListedTwice(path: "/memory/pairs/images/", place: "b.png", picture: "b"))
        guard
            case .labelOutOfRange("/memory/pairs/masks/a/two.png", _, 3, 2)? = dataSetError({
                try set(classes: 2) { _ in }.mask(1)
            })
        else {
            Issue.record("a label without a class was taken")
            return
        }
        guard
            case .maskOfAnotherSize? = dataSetError({
                try set { $0["pairs/masks/b.png"] = $0["pairs/masks/c.png"] }.mask(2)
            })
        else {
            Issue.record("a mask of another size was taken")
            return
        }
    }

    @Test(arguments: [
        ("", "line 1"), ("path;label\na.png;x", "line 1"), ("path,label\na.png", "line 2"),
        ("path,label\na.png,x,y", "line 2"),
        ("path,label\n\"a.png,x", "line 2"), ("path,label\na.png,x\"y", "line 2"),
        ("path,label\n\"a.png\"x,y", "line 2"),
        ("path,label\na.png,x\rb.png,y", "line 2"), ("path,label\n\n\"a\n.png\",x,\n", "line 3"),
    ])
    func tableSyntax(text: String, place: String) throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a.png", "")
        let csv = try folder.file("t.csv", text)
        guard case .malformedFile(csv.path, place, _)? = inputError({ try ImageTable(csv) }) else {
            Issue.record("not refused at \(place)")
            return
        }
    }

    @Test func tablePaths() throws {
        let (outside, folder) = (try TemporaryFolder(), try TemporaryFolder())
        _ = try outside.file("secret.png", "x")
        _ = try folder.file("a.png", "x")
        try FileManager.default.createSymbolicLink(
            at: folder.url.appendingPathComponent("link"), withDestinationURL: outside.url)
        for path in [
            "../\(outside.url.lastPathComponent)/secret.png", outside.url.path + "/secret.png", "link/secret.png",
            "./a.png", "b//a.png",
        ] {
            let csv = try folder.file("t.csv", "path,label\n\(path),x")
            #expect(
                dataSetError { try ImageTable(csv) } == .pathOutside(path: csv.path, place: "line 2", picture: path))
        }
        let csv = try folder.file("t.csv", "path,label\na.png,x\nb.png,x")
        #expect(
            dataSetError { try ImageTable(csv) } == .missingPicture(path: csv.path, place: "line 3", picture: "b.png"))
        let twice = try folder.file("t.csv", "path,label\na.png,x\na.png,y")
        #expect(
            dataSetError { try ImageTable(twice) }
                == .pictureListedTwice(path: twice.path, place: "line 3", picture: "a.png"))
        let number = try folder.file("t.csv", "path,label\na.png,2")
        #expect(
            dataSetError { try ImageTable(number, classNames: ["x", "y"]) }
                == .labelOutOfRange(path: number.path, place: "line 2", label: 2, classes: 2))
        let name = try folder.file("t.csv", "path,label\na.png,z")
        #expect(
            dataSetError { try ImageTable(name, classNames: ["x", "y"]) }
                == .unknownClass(path: name.path, place: "line 2", name: "z"))
        let none = try folder.file("t.csv", "path,label\n")
        #expect(dataSetError { try ImageTable(none) } == .empty(path: none.path, expected: "rows below the header"))
    }
}
