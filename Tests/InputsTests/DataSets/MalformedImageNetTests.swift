import Archives
import Foundation
import TestSupport
import Testing

@testable import Inputs

/// Sets with ImageNet's classes whose files contradict each other are refused with the file and the place.
@Suite struct MalformedImageNetTests {
    typealias Fixture = DataSetFixtures

    private static let truth = "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"

    private func devkit(_ truth: String) throws -> ImageNetDevkit {
        var files = try MemoryFiles(Fixture.archive("ILSVRC2012_devkit_t12.tar.gz"))
        files[Self.truth] = Array(truth.utf8)
        return try ImageNetDevkit(files)
    }

    @Test func groundTruthOutOfRange() {
        #expect(
            dataSetError { try devkit("1\n4\n") }
                == .labelOutOfRange(path: "/memory/" + Self.truth, place: "line 2", label: 4, classes: 3),
            "4 has children")
        #expect(
            inputError { try devkit("1\nx\n") }
                == .malformedFile(path: "/memory/" + Self.truth, place: "line 2", expected: "an ILSVRC2012_ID"))
        #expect(
            dataSetError { try devkit("\n") }
                == .empty(path: "/memory/" + Self.truth, expected: "an ILSVRC2012_ID a line"))
    }

    @Test func validationPicturesAndLabelsAreAsMany() throws {
        let pictures = try MemoryFiles(Fixture.archive("ILSVRC2012_img_val.tar"))
        let few = try devkit("1\n2\n3\n"), many = try devkit("1\n2\n3\n1\n2\n3\n")
        #expect(
            dataSetError { try ImageNet.validation(pictures, many) }
                == .pictureCount(path: "/memory", found: 5, expected: 6))
        guard case .unknownPicture? = dataSetError({ try ImageNet.validation(pictures, few) }) else {
            Issue.record("a picture without a label was taken")
            return
        }
        var twice = pictures
        twice["more/ILSVRC2012_val_00000002.JPEG"] = [1]
        #expect(
            dataSetError { try ImageNet.validation(twice, devkit("1\n2\n3\n1\n2\n")) }
                == .pictureListedTwice(
                    path: "/memory", place: "more/ILSVRC2012_val_00000002.JPEG", picture: "ILSVRC2012_val_00000002.JPEG"
                ))
        #expect(dataSetError { try ImageNet.validation(MemoryFiles([:]), few) } != nil)
        #expect(inputError { try ImageNet.validation(MemoryFiles(["cat.jpg": [1]]), few) } != nil)
    }

    @Test func unknownClassesOfFolders() throws {
        let classes = try ImageNetClasses(
            wnids: Fixture.url("imagenet-wnids.txt"), names: Fixture.url("imagenet-names.txt"))
        let files = MemoryFiles(["r/n01440764/a.jpg": [1], "r/n99999999/b.jpg": [1]])
        #expect(
            dataSetError { try ImageNet.renditions(files, classes: classes) }
                == .unknownClass(path: "/memory", place: "n99999999", name: "n99999999"))
        #expect(
            dataSetError { try ImageNet.train(MemoryFiles(["n01440764/a.jpg": [1]]), classes: classes) }
                == .classCount(path: "/memory", found: 1, expected: 3))
        #expect(
            dataSetError { try ClassFolders(MemoryFiles(["a/README": [1]])) }
                == .empty(path: "/memory", expected: "folders of pictures, one a class"))
        // Whoever reads a picture says what is wrong with it: one of another format counts.
        #expect(try ClassFolders(MemoryFiles(["a/b.webp": [1], "a/c.jpg": [1]])).count == 2)
        #expect(
            dataSetError { try ClassFolders(MemoryFiles(["a.tar/b.jpg": [1], "a/b.jpg": [1], "c/d.jpg": [1]])) }
                == .pictureListedTwice(path: "/memory", place: "a", picture: "a/b.jpg"))
    }

    @Test func masksOfImageNetS() throws {
        let whole = try MemoryFiles(Fixture.archive("ImageNetS919.tar"))
        let mask = "ImageNetS919/validation-segmentation/n01440764/ILSVRC2012_val_00000001.png"
        let picture = "ImageNetS919/validation/n01440764/ILSVRC2012_val_00000001.JPEG"
        func set(_ change: (inout MemoryFiles) -> Void) throws -> ImageNetS {
            var files = whole
            change(&files)
            return try ImageNetS(masks: files, split: "validation", pictures: files)
        }
        guard case .missingPicture? = dataSetError({ try set { $0[picture] = nil } }) else {
            Issue.record("a mask without a picture was taken")
            return
        }
        let other = try #require(whole["ImageNetS919/validation-segmentation/n01443537/ILSVRC2012_val_00000002.png"])
        #expect(
            dataSetError { try set { $0[mask] = other }.mask(0) }
                == .maskOfAnotherSize(
                    path: "/memory/" + mask, picture: "n01440764/ILSVRC2012_val_00000001.png", mask: [10, 8],
                    image: [9, 8]))
        // Of two classes only, the number 3 is out of range.
        let fewer = try set { files in
            for path in files.files.map(\.path) where path.contains("n02084071") { files[path] = nil }
        }
        guard case .labelOutOfRange("/memory/\(mask)", _, 3, 2)? = dataSetError({ try fewer.mask(0) }) else {
            Issue.record("a number without a class was taken")
            return
        }
        #expect(dataSetError { try ImageNetS(masks: whole, split: "test", pictures: whole) } != nil)
    }
}
