import Archives
import Foundation
import TestSupport
import Testing

@testable import Inputs

/// Pascal sets whose files contradict each other are refused with the file and the place.
@Suite struct MalformedPascalTests {
    typealias Fixture = DataSetFixtures

    private static let voc = "VOCdevkit/VOC2012/"

    private func voc(task: PascalVOC.Task = .segmentation, _ change: (inout MemoryFiles) -> Void) throws -> PascalVOC {
        var files = try MemoryFiles(Fixture.archive("VOCtrainval_11-May-2012.tar"))
        change(&files)
        return try PascalVOC(files, task: task, split: "val")
    }

    @Test func vocLists() {
        let list = Self.voc + "ImageSets/Segmentation/val.txt"
        #expect(
            dataSetError { try voc { $0[list] = Array("2007_000032\n2007_000032\n".utf8) } }
                == .pictureListedTwice(path: "/memory/" + list, place: "line 2", picture: "2007_000032"))
        #expect(
            dataSetError { try voc { $0[list] = Array("2007_000032\r\n2009_000001\r\n".utf8) } }
                == .missingPicture(path: "/memory/" + list, place: "line 2", picture: "JPEGImages/2009_000001.jpg"))
        #expect(
            dataSetError { try voc { $0[list] = [] } } == .empty(path: "/memory/" + list, expected: "names of pictures")
        )
        #expect(inputError { try voc { $0[list] = [0xFF, 0xC3] } } != nil)
        #expect(
            dataSetError { try voc { $0[list] = nil } }
                == .missingFile(
                    path: "/memory", file: "ImageSets/Segmentation/val.txt",
                    purpose: "the pictures of a split of Pascal VOC"))
        #expect(
            inputError { try voc { $0["VOC2007/ImageSets/Segmentation/val.txt"] = [1] } } != nil,
            "two kits in one folder")
    }

    @Test func vocMasks() throws {
        let mask = Self.voc + "SegmentationClass/2007_000032.png"
        #expect(
            dataSetError { try voc { $0[mask] = nil } } == .missingMask(path: "/memory/" + mask, picture: "2007_000032")
        )
        let other = try Fixture.contents("VOCtrainval_11-May-2012.tar", Self.voc + "SegmentationClass/2007_000039.png")
        #expect(
            dataSetError { try voc { $0[mask] = other }.mask(0) }
                == .maskOfAnotherSize(
                    path: "/memory/" + mask, picture: "JPEGImages/2007_000032.jpg", mask: [13, 9], image: [12, 9]))
        #expect(inputError { try voc { $0[mask] = Array(other.prefix(100)) }.mask(0) } != nil, "cut")
        // A picture of the pairs has three channels.
        let colours = try Fixture.contents("pairs.tar", "pairs/images/c.png")
        #expect(inputError { try voc { $0[mask] = colours }.mask(0) } != nil, "colours for numbers")
        #expect(
            dataSetError { try voc(task: .classification) { _ in }.mask(2) } != nil,
            "a picture of classification without a mask")
    }

    @Test(arguments: [
        "<annotation><size><width>3</width><height>4</height></size>",
        "<annotation><size><width>3</width></size></annotation>",
        "<annotation><size><width>-3</width><height>4</height></size></annotation>",
        "<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\">]><annotation><size><width>3</width><height>4</height></size></annotation>",
        "<html/>", "", "\u{0}", "<annotation>&unknown;</annotation>",
    ])
    func vocAnnotations(text: String) {
        let path = Self.voc + "Annotations/2007_000032.xml"
        guard case .malformedFile("/memory/\(path)", _, _)? = inputError({ try voc { $0[path] = Array(text.utf8) } })
        else {
            Issue.record("not refused: \(text)")
            return
        }
    }

    @Test func vocClasses() throws {
        let path = Self.voc + "Annotations/2007_000032.xml"
        let text =
            "<annotation><size><width>12</width><height>9</height></size><object><name>unicorn</name></object></annotation>"
        #expect(
            dataSetError { try voc { $0[path] = Array(text.utf8) } }
                == .unknownClass(path: "/memory/" + path, place: "object", name: "unicorn"))
    }

    @Test func contextLists() throws {
        let folder = try TemporaryFolder()
        let voc = try Fixture.archive("VOCtrainval_03-May-2010.tar")
        let maps = try MemoryFiles(Fixture.archive("trainval.tar.gz"))
        func set(labels: String, classes: String, maps: MemoryFiles) throws -> PascalContext {
            try PascalContext(
                voc: voc, maps: maps, labels: folder.file("labels.txt", labels),
                classes: folder.file("59_labels.txt", classes),
                split: "val")
        }
        let labels = folder.url.appendingPathComponent("labels.txt").path
        #expect(
            dataSetError { try set(labels: "1: cat", classes: "1: dog", maps: maps) }
                == .unknownClass(path: labels, place: "line 1 of 59_labels.txt", name: "dog"))
        #expect(inputError { try set(labels: "2: cat", classes: "1: cat", maps: maps) } != nil)
        #expect(inputError { try set(labels: "cat", classes: "1: cat", maps: maps) } != nil)
        // Seven labels are used.
        guard
            case .labelOutOfRange(_, _, _, 1)? = dataSetError({
                try set(labels: "1: cat", classes: "1: cat", maps: maps).mask(0)
            })
        else {
            Issue.record("a number without a label was taken")
            return
        }
        var fewer = maps
        fewer["trainval/2007_000039.mat"] = nil
        #expect(
            dataSetError { try set(labels: "1: cat", classes: "1: cat", maps: fewer) }
                == .missingMask(path: "/memory", picture: "2007_000039"))
    }
}
