import Archives
import Foundation
import Inputs
import Synchronization
import TestSupport
import Testing

/// Each data set, from its archives and from a folder, against what Python's readers make of the same files.
@Suite struct DataSetReadingTests {
    typealias Fixture = DataSetFixtures

    // MARK: ImageNet

    @Test func imageNetTrain() throws {
        try expectEqual(ImageNet.train(Fixture.archive("ILSVRC2012_img_train.tar")), "imagenet-train")
        // Unpacked, the tar of each class is a folder.
        let folder = try TemporaryFolder()
        try Fixture.archive("ILSVRC2012_img_train.tar").unpack(into: folder.url.appendingPathComponent("ILSVRC/train"))
        { $0.replacingOccurrences(of: ".tar/", with: "/") }
        try expectEqual(ImageNet.train(Folder(path: folder.url.path)), "imagenet-train")
    }

    @Test func imageNetTrainWithClasses() throws {
        let classes = try ImageNetDevkit(Fixture.archive("ILSVRC2012_devkit_t12.tar.gz")).classes
        #expect(classes.wnids == (try Fixture.expected("imagenet-train").classNames))
        let train = try ImageNet.train(Fixture.archive("ILSVRC2012_img_train.tar"), classes: classes)
        #expect(train.classNames == ["tench", "goldfish", "dog"])
        #expect(train.presentLabels == [0, 1, 2])
    }

    @Test func imageNetValidation() throws {
        let devkit = try ImageNetDevkit(Fixture.archive("ILSVRC2012_devkit_t12.tar.gz"))
        try expectEqual(ImageNet.validation(Fixture.archive("ILSVRC2012_img_val.tar"), devkit), "imagenet-val")
        let (pictures, kit) = (try TemporaryFolder(), try TemporaryFolder())
        try expectEqual(
            ImageNet.validation(
                pictures.unpacked("ILSVRC2012_img_val.tar"),
                ImageNetDevkit(kit.unpacked("ILSVRC2012_devkit_t12.tar.gz"))),
            "imagenet-val")
    }

    @Test func imageNetValidationInFoldersOfClasses() throws {
        let devkit = try ImageNetDevkit(Fixture.archive("ILSVRC2012_devkit_t12.tar.gz"))
        let flat = try ImageNet.validation(Fixture.archive("ILSVRC2012_img_val.tar"), devkit)
        var files: [String: [UInt8]] = [:]
        for index in 0..<flat.count {
            guard case .encoded(let data) = try flat.picture(index), let label = flat.record(index).label else {
                continue
            }
            files["val/\(devkit.classes.wnids[label])/\(flat.record(index).id)"] = [UInt8](data)
        }
        let sorted = try ImageNet.validation(MemoryFiles(files), devkit)
        let labels = Dictionary(
            uniqueKeysWithValues: (0..<flat.count).map { (flat.record($0).id, flat.record($0).label) })
        #expect(sorted.count == flat.count && sorted.classNames == flat.classNames)
        for index in 0..<sorted.count {
            let record = sorted.record(index)
            #expect(labels[String(record.id.split(separator: "/")[1])] == record.label)
        }
    }

    @Test func imageNetR() throws {
        let classes = try ImageNetClasses(
            wnids: Fixture.url("imagenet-wnids.txt"), names: Fixture.url("imagenet-names.txt"))
        let packed = try ImageNet.renditions(Fixture.archive("imagenet-r.tar"), classes: classes)
        try expectEqual(packed, "imagenet-r")
        #expect(packed.presentLabels == [1, 2], "two of three classes")
        let folder = try TemporaryFolder()
        try expectEqual(ImageNet.renditions(folder.unpacked("imagenet-r.tar"), classes: classes), "imagenet-r")
    }

    @Test func imageNetS() throws {
        let categories = Fixture.url("ImageNetS_categories_im3.txt")
        let archive = try Fixture.archive("ImageNetS919.tar")
        try expectEqual(
            ImageNetS(masks: archive, split: "validation", pictures: archive, categories: categories), "imagenet-s")
        let folder = try TemporaryFolder()
        let unpacked = try folder.unpacked("ImageNetS919.tar")
        try expectEqual(ImageNetS(masks: unpacked, split: "validation", pictures: unpacked), "imagenet-s")
        let classes = try ImageNetDevkit(Fixture.archive("ILSVRC2012_devkit_t12.tar.gz")).classes
        let named = try ImageNetS(masks: archive, split: "validation", pictures: archive, classes: classes)
        #expect(named.classNames == ["tench", "goldfish", "dog"])
    }

    @Test func imageNetSegmentation() throws {
        let set = try ImageNetSegmentation(Fixture.url("gtsegs_ijcv.mat"))
        try expectEqual(set, "imagenet-segmentation")
        #expect(set.wnid(1) == "n01443537")
    }

    // MARK: CIFAR

    @Test(arguments: ["python", "binary"], [10, 100]) func cifar(version: String, kind: Int) throws {
        let name = "cifar-\(kind)-\(version).tar.gz"
        let folder = try TemporaryFolder()
        for files in [try Fixture.archive(name) as any FileCollection, try folder.unpacked(name)] {
            for split in CIFAR.Split.allCases { try expectEqual(CIFAR(files, split: split), "cifar-\(kind)-\(split)") }
        }
    }

    // MARK: Pascal

    @Test func pascalVOC() throws {
        let folder = try TemporaryFolder()
        for files in [
            try Fixture.archive("VOCtrainval_11-May-2012.tar") as any FileCollection,
            try folder.unpacked("VOCtrainval_11-May-2012.tar"),
        ] {
            try expectEqual(PascalVOC(files, task: .segmentation, split: "val"), "voc-segmentation")
            try expectEqual(PascalVOC(files, task: .classification, split: "val"), "voc-classification")
        }
        // The list of one class has a second column.
        #expect(
            try PascalVOC(Fixture.archive("VOCtrainval_11-May-2012.tar"), task: .classification, split: "dog_val").count
                == 3)
        // Unpacked without its outer folders.
        let bare = try Folder(path: folder.url.appendingPathComponent("VOCdevkit/VOC2012").path)
        try expectEqual(PascalVOC(bare, task: .segmentation, split: "val"), "voc-segmentation")
    }

    @Test func pascalContext() throws {
        let (voc, maps) = (try TemporaryFolder(), try TemporaryFolder())
        let (labels, classes) = (Fixture.url("labels.txt"), Fixture.url("59_labels.txt"))
        try expectEqual(
            PascalContext(
                voc: Fixture.archive("VOCtrainval_03-May-2010.tar"), maps: Fixture.archive("trainval.tar.gz"),
                labels: labels,
                classes: classes, split: "val"), "pascal-context")
        try expectEqual(
            PascalContext(
                voc: voc.unpacked("VOCtrainval_03-May-2010.tar"), maps: maps.unpacked("trainval.tar.gz"),
                labels: labels,
                classes: classes, split: "val"), "pascal-context")
        // The protocol of 59 classes leaves out what that of 60 calls background.
        let maps59 = try PascalContext(
            voc: Fixture.archive("VOCtrainval_03-May-2010.tar"), maps: Fixture.archive("trainval.tar.gz"),
            labels: labels,
            classes: classes, split: "val", others: LabelMask.ignored)
        let expected = try #require(Fixture.expected("pascal-context").records[0].mask).labels
        #expect(try maps59.mask(0).labels == expected.map { $0 == 0 ? LabelMask.ignored : $0 })
    }

    // MARK: COCO

    @Test func coco() throws {
        let (pictures, annotations) = (try TemporaryFolder(), try TemporaryFolder())
        let packed = (try Fixture.archive("val2017.zip"), try Fixture.archive("annotations_trainval2017.zip"))
        let unpacked = (try pictures.unpacked("val2017.zip"), try annotations.unpacked("annotations_trainval2017.zip"))
        for (images, annotations) in [(packed.0 as any FileCollection, packed.1 as any FileCollection), unpacked] {
            func set(_ numbering: COCOImages.Numbering, _ overlap: COCOImages.Overlap, _ crowds: COCOImages.Crowds)
                throws -> COCOImages
            {
                try COCOImages(
                    images: images, annotations: annotations, name: "instances_val2017.json", numbering: numbering,
                    overlap: overlap,
                    crowds: crowds)
            }
            try expectEqual(set(.contiguous, .lastWins, .ignored), "coco-contiguous-ignored-lastWins")
            try expectEqual(set(.original, .lastWins, .painted), "coco-original-painted-lastWins")
            try expectEqual(set(.contiguous, .ignored, .leftOut), "coco-contiguous-leftOut-ignored")
        }
    }

    // MARK: Folders and tables

    @Test func imageMaskPairs() throws {
        let names = ["red", "green", "blue"]
        let folder = try TemporaryFolder()
        try expectEqual(ImageMaskPairs(Fixture.archive("pairs.tar"), classNames: names), "pairs")
        try expectEqual(ImageMaskPairs(folder.unpacked("pairs.tar"), classNames: names), "pairs")
    }

    @Test func table() throws {
        let set = try ImageTable(Fixture.url("table/table.csv"))
        // One row has a mask; the others say so when they are asked.
        try expectEqual(set, "table")
        let folder = Fixture.url("table").path
        #expect(dataSetError { try set.mask(1) } == .missingMask(path: folder, picture: "sub, folder/two \"2\".png"))
    }

    @Test func tableOfNumbers() throws {
        let folder = try TemporaryFolder()
        for name in ["a.png", "b.png", "c.png"] { _ = try folder.file(name, "") }
        let csv = try folder.file("t.csv", "path,label\na.png,10\nb.png,9\nc.png,10")
        let bare = try ImageTable(csv)
        #expect(bare.classNames == ["9", "10"] && (0..<3).map { bare.record($0).label } == [1, 0, 1])
        let names = (0..<11).map { "class \($0)" }
        let named = try ImageTable(csv, classNames: names)
        #expect(named.classNames == names && (0..<3).map { named.record($0).label } == [10, 9, 10])
    }

    @Test func classFoldersOfOneClass() throws {
        let set = try ClassFolders(
            MemoryFiles(["set/cat/1.jpg": [1], "set/cat/0.PNG": [2], "set/README.md": [3], "set/cat/._1.jpg": [4]]))
        #expect(set.classNames == ["cat"] && set.count == 2)
        #expect((0..<2).map { set.record($0).id } == ["cat/0.PNG", "cat/1.jpg"])
    }

    // MARK: Threads

    @Test func picturesAndMasksFromSeveralThreads() throws {
        let sets: [any SegmentedImages] = [
            try ImageNetSegmentation(Fixture.url("gtsegs_ijcv.mat")),
            try PascalVOC(Fixture.archive("VOCtrainval_11-May-2012.tar"), task: .segmentation, split: "val"),
            try ImageMaskPairs(Fixture.archive("pairs.tar"), classNames: ["red", "green", "blue"]),
        ]
        for set in sets {
            let once = try (0..<set.count).map { (try set.picture($0), try set.mask($0)) }
            let differing = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: 200) { turn in
                let index = turn % set.count
                let isSame = (try? set.picture(index)) == once[index].0 && (try? set.mask(index)) == once[index].1
                if !isSame { differing.withLock { $0 += 1 } }
            }
            #expect(differing.withLock { $0 } == 0)
        }
    }
}
