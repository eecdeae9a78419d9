import Archives
import Foundation
import Foundations
import TestSupport
import Testing

@testable import Inputs

/// Changed copies of good files are accepted or refused, and never trap or run for long. MAT-files have
/// tests of their own, archives and pickles those of their modules.
@Suite(.timeLimit(.minutes(1))) struct DataSetMutationTests {
    typealias Fixture = DataSetFixtures

    /// Reads everything of a set; errors of its own kinds are what is expected.
    private func read(_ make: () throws -> any ImageCollection) throws -> Bool {
        do {
            let set = try make()
            for index in 0..<set.count {
                _ = set.record(index)
                _ = try set.picture(index)
                _ = try (set as? any SegmentedImages)?.mask(index)
            }
            return true
        } catch is InputError {
        } catch is DataSetError {
        } catch is ArchiveError {
        }
        return false
    }

    @Test func annotationsOfCOCO() throws {
        let images = try MemoryFiles(Fixture.archive("val2017.zip"))
        let whole = try Fixture.contents("annotations_trainval2017.zip", "annotations/instances_val2017.json")
        var random = SplitMix64(seed: 1)
        var accepted = 0
        for round in 0..<1500 {
            let crowds = [COCOImages.Crowds.painted, .ignored, .leftOut][round % 3]
            let annotations = MemoryFiles(["instances.json": mutated(whole, &random)])
            if try read({
                try COCOImages(images: images, annotations: annotations, name: "instances.json", crowds: crowds)
            }) {
                accepted += 1
            }
        }
        #expect((1..<1500).contains(accepted), "\(accepted) accepted")
    }

    @Test func annotationsAndMasksOfVOC() throws {
        let whole = try MemoryFiles(Fixture.archive("VOCtrainval_11-May-2012.tar"))
        let paths = whole.files.map(\.path).filter { $0.contains("2007") || $0.contains("Sets/Seg") }
        var random = SplitMix64(seed: 2)
        var accepted = 0
        for _ in 0..<600 {
            var files = whole
            let path = paths[random.below(paths.count)]
            files[path] = mutated(whole[path] ?? [], &random)
            if try read({ try PascalVOC(files, task: .segmentation, split: "val") }) { accepted += 1 }
        }
        #expect((1..<600).contains(accepted), "\(accepted) accepted")
    }

    @Test func masksOfEveryDepth() throws {
        let whole = try MemoryFiles(Fixture.archive("pairs.tar"))
        let paths = whole.files.map(\.path).filter { $0.contains("masks") }
        var random = SplitMix64(seed: 3)
        var accepted = 0
        for _ in 0..<1000 {
            var files = whole
            let path = paths[random.below(paths.count)]
            files[path] = mutated(whole[path] ?? [], from: 8, &random)
            if try read({ try ImageMaskPairs(files, classNames: ["red", "green", "blue"]) }) { accepted += 1 }
        }
        #expect((1..<1000).contains(accepted), "\(accepted) accepted")
    }

    @Test(arguments: ["python", "binary"]) func cifar(version: String) throws {
        let whole = try MemoryFiles(Fixture.archive("cifar-100-\(version).tar.gz"))
        var random = SplitMix64(seed: 4)
        var accepted = 0
        for _ in 0..<300 {
            var files = whole
            let path = files.files[random.below(files.count)].path
            files[path] = mutated(whole[path] ?? [], &random)
            if try read({ try CIFAR(files, split: .test) }) { accepted += 1 }
        }
        #expect((1..<300).contains(accepted), "\(accepted) accepted")
    }

    @Test func developmentKit() throws {
        let whole = try MemoryFiles(Fixture.archive("ILSVRC2012_devkit_t12.tar.gz"))
        let pictures = try MemoryFiles(Fixture.archive("ILSVRC2012_img_val.tar"))
        var random = SplitMix64(seed: 5)
        for _ in 0..<600 {
            var files = whole
            let path = files.files[random.below(files.count)].path
            files[path] = mutated(whole[path] ?? [], &random)
            _ = try read { try ImageNet.validation(pictures, ImageNetDevkit(files)) }
        }
    }

    @Test func tables() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("a.png", "")
        let whole = Array("path,label,mask\r\na.png,\"x, \"\"y\"\"\",a.png\r\n\"b.png\",2,\n".utf8)
        var random = SplitMix64(seed: 6)
        for _ in 0..<1000 {
            let csv = try folder.file("t.csv", Data(mutated(whole, &random)))
            _ = try read { try ImageTable(csv) }
        }
    }
}
