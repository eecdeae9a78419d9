import Archives
import Foundation
import TestSupport
import Testing

@testable import Inputs

/// COCO sets whose files contradict each other are refused with the file and the place.
@Suite struct MalformedCOCOTests {
    typealias Fixture = DataSetFixtures

    private func coco(_ old: String = "", _ new: String = "", images: MemoryFiles? = nil) throws -> COCOImages {
        var text = String(
            decoding: try Fixture.contents("annotations_trainval2017.zip", "annotations/instances_val2017.json"),
            as: UTF8.self)
        if !old.isEmpty {
            let range = try #require(text.range(of: old), "\(old)")
            text.replaceSubrange(range, with: new)
        }
        return try COCOImages(
            images: images ?? MemoryFiles(Fixture.archive("val2017.zip")),
            annotations: MemoryFiles(["annotations/instances_val2017.json": Array(text.utf8)]),
            name: "instances_val2017.json",
            overlap: .lastWins, crowds: .painted)
    }

    @Test func cocoReferences() throws {
        let path = "/memory/annotations/instances_val2017.json"
        guard
            case .unknownPicture(path, _, "286")? = dataSetError({ try coco("\"image_id\": 285", "\"image_id\": 286") })
        else {
            Issue.record("an annotation of an unknown picture was taken")
            return
        }
        guard
            case .labelOutOfRange(path, _, 19, 3)? = dataSetError({
                try coco("\"category_id\": 18", "\"category_id\": 19")
            })
        else {
            Issue.record("an annotation of an unknown category was taken")
            return
        }
        #expect(
            dataSetError { try coco("\"id\": 285", "\"id\": 139") }
                == .pictureListedTwice(path: path, place: "images", picture: "139"))
        #expect(
            dataSetError { try coco("000000000285.jpg", "000000000284.jpg") }
                == .missingPicture(path: "/memory", place: path, picture: "000000000284.jpg"))
        #expect(
            dataSetError { try coco("000000000285.jpg", "000000000139.jpg") }
                == .pictureListedTwice(path: path, place: "images", picture: "file_name"))
    }

    @Test(arguments: [
        ("\"annotations\"", "\"annotation\""), ("\"annotations\"", "\"images\""),
        ("\"height\": 10", "\"height\": \"10\""),
        ("\"height\": 10", "\"height\": 0"), ("\"width\": 15", "\"width\": 99999999"), ("\"id\": 18", "\"id\": -18"),
        ("\"image_id\": 139", "\"image_id\": 1.5"), ("\"image_id\": 139", "\"image_id\": 99999999999999999999"),
        ("{\"info\"", "[\"info\""), ("\"info\": {", "\"info\": {{"), ("\"licenses\": []", "\"licenses\": [}"),
    ])
    func cocoSyntax(old: String, new: String) {
        guard
            case .malformedFile("/memory/annotations/instances_val2017.json", let place, _)? = inputError({
                try coco(old, new)
            })
        else {
            Issue.record("\(new) was taken")
            return
        }
        #expect(place.hasPrefix("byte ") || place == "top level" || place == "categories", "\(place)")
    }

    @Test func cocoSegmentations() throws {
        // Pictures are ordered by id: 81, 139, 285, 632.
        #expect(inputError { try coco("\"counts\": [", "\"counts\": [1000000, ").mask(1) } != nil)
        #expect(inputError { try coco("\"counts\": [", "\"count\": [").mask(1) } != nil)
        #expect(
            dataSetError { try coco("\"size\": [10, 15]", "\"size\": [15, 10]").mask(1) }
                == .maskOfAnotherSize(
                    path: "/memory/annotations/instances_val2017.json", picture: "000000000139.jpg", mask: [10, 15],
                    image: [15, 10]))
        #expect(
            inputError { try coco("\"segmentation\": [[", "\"segmentation\": [[1e300, 1, 2, 3, 4, ").mask(2) } != nil)
        #expect(inputError { try coco("\"segmentation\": [[", "\"segmentation\": [[1, 2], [").mask(2) } != nil)
        #expect(
            inputError { try coco("\"segmentation\": [[", "\"segmentation\": [[1, ").mask(2) } != nil, "an odd number")
        let huge = String(repeating: "-65536, -65536, 65536, 65536, ", count: 2000)
        #expect(
            inputError { try coco("\"segmentation\": [[", "\"segmentation\": [[\(huge)").mask(2) } != nil,
            "an outline without end")
    }

    @Test func cocoPictureOfAnotherSize() throws {
        var images = try MemoryFiles(Fixture.archive("val2017.zip"))
        images["val2017/000000000139.jpg"] = images["val2017/000000000081.jpg"]
        let set = try coco(images: images)
        #expect(
            dataSetError { try set.mask(1) }
                == .maskOfAnotherSize(path: "/memory", picture: "000000000139.jpg", mask: [15, 10], image: [12, 12]))
    }

    @Test func cocoCutAnywhere() throws {
        let whole = try Fixture.contents("annotations_trainval2017.zip", "annotations/instances_val2017.json")
        for length in 0..<whole.count - 1 {
            #expect(throws: InputError.self, "\(length) bytes") {
                try COCOAnnotations(Array(whole.prefix(length)), path: "cut")
            }
        }
    }
}
