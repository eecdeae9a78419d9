import Foundation
import TestSupport
import Testing

/// Every kind of picture set through the whole program: an archive, a folder or a table of a few pictures in
/// the format in which people have it.
@Suite struct PictureSetRunTests {
    @Test(arguments: PictureSetCase.classified) func meanAblationRuns(set: PictureSetCase) throws {
        var study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try set.prepare(study)
        try run(
            set, &study, "mean-ablation",
            writeSpec: { try $0.writeMeanAblation(fit: set.fit, evaluation: set.evaluation) })
    }

    @Test(arguments: PictureSetCase.segmented) func segmentationRuns(set: PictureSetCase) throws {
        var study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try set.prepare(study)
        try run(
            set, &study, "segmentation",
            writeSpec: { try $0.writeSegmentation(fit: set.fit, evaluation: set.evaluation) })
        let scores = try String(
            contentsOf: study.results.appendingPathComponent("segmentation-images.csv"), encoding: .utf8)
        for id in try set.labels().keys { #expect(scores.contains("\(set.dataset)/\(id)"), "\(id)") }
    }

    /// Runs, runs again where the data lie elsewhere, and again where they are others.
    private func run(
        _ set: PictureSetCase, _ study: inout PictureStudy, _ experiment: String,
        writeSpec: (PictureStudy) throws -> Void
    ) throws {
        try writeSpec(study)
        let first = try study.run()
        try #require(first.status == 0, "\(first.errors)")
        let labels = try set.labels()
        let expected = Dictionary(uniqueKeysWithValues: labels.map { ("\(set.dataset)/\($0.key)", $0.value) })
        let outcome = try study.outcome(experiment)
        #expect(outcome.labels == expected)
        #expect(outcome.counts == ["fit": set.fitCount, "evaluation": labels.count])
        #expect(outcome.computed.isSuperset(of: ["pictures", "zero-shot-classifier"]), "\(outcome.computed)")
        #expect(outcome.skipped.isEmpty)

        try study.moveData()
        try writeSpec(study)
        let moved = try study.run()
        try #require(moved.status == 0, "\(moved.errors)")
        #expect(moved.text.contains("Nothing to compute"), "\(moved.text.suffix(300))")
        #expect(try study.outcome(experiment).labels == expected)

        try set.change(study)
        let changed = try study.run()
        try #require(changed.status == 0, "\(changed.errors)")
        let last = try study.outcome(experiment)
        #expect(last.computed.contains("pictures"), "\(last.computed)")
        #expect(!last.computed.contains("zero-shot-classifier"), "what classes are called has not changed")
        #expect(last.labels == expected)
    }
}

/// Sets that an experiment cannot take, and pictures that cannot be read.
@Suite struct PictureSetRefusalTests {
    /// Runs a study that has to be refused.
    private func refusal(_ study: PictureStudy) throws -> RunnerProcess.Output {
        let output = try study.run()
        #expect(output.text == "" && output.errors.contains("fix: "), "\(output.errors)")
        return output
    }

    /// A map is compared with one object.
    @Test(arguments: [
        ("{dataset: voc-2012, split: val}", "voc-2012/JPEGImages/2007_0000"),
        ("{dataset: coco-2017-val}", "coco-2017-val/000000000"),
        ("{dataset: pascal-context, split: val}", "pascal-context/JPEGImages/200"),
        ("{dataset: image-mask-pairs, path: $DATA/own/pairs.tar}", "pairs/"),
    ])
    func severalObjectsAreNotSegmented(evaluation: String, picture: String) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.installPairsOfSeveralObjects()
        try study.writeSegmentation(evaluation: evaluation)
        let output = try refusal(study)
        #expect(output.status == 65)
        #expect(
            output.errors.contains("the mask of \(picture)") && output.errors.contains("does not show one class"),
            "\(output.errors)")
        #expect(output.errors.contains("choose a data set whose pictures show one class each"), "\(output.errors)")
    }

    @Test(arguments: [
        "{dataset: cifar-10, split: test}", "{dataset: imagenet-val}", "{dataset: imagenet-r}",
        "{dataset: class-folders, path: $DATA/imagenet-r/imagenet-r.tar}",
    ])
    func setsWithoutMasksAreNotSegmented(evaluation: String) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.writeSegmentation(evaluation: evaluation)
        let output = try refusal(study)
        #expect(output.status == 65 && output.errors.contains("has no masks to compare maps with"), "\(output.errors)")
    }

    /// Accuracies need one class a picture.
    @Test(arguments: [
        ("{dataset: voc-2012, split: val}", "voc-2012/JPEGImages/2007_000032.jpg"),
        ("{dataset: coco-2017-val}", "coco-2017-val/000000000"),
        ("{dataset: pascal-context, split: val}", "pascal-context/JPEGImages/200"),
        ("{dataset: image-mask-pairs, path: $DATA/own/pairs.tar}", "pairs/"),
    ])
    func severalClassesAreNotClassified(evaluation: String, picture: String) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.installPairsOfSeveralObjects()
        try study.writeMeanAblation(evaluation: evaluation)
        let output = try refusal(study)
        #expect(output.status == 65)
        #expect(output.errors.contains(picture) && output.errors.contains("has no one class"), "\(output.errors)")
    }

    /// Images that stand in both sets are found whatever they are called.
    @Test func imagesOfBothSetsAreFound() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.writeMeanAblation(
            fit: "{dataset: imagenet-r}",
            evaluation: "{dataset: class-folders, path: $DATA/imagenet-r/imagenet-r.tar, sample: {first: 2}}")
        let output = try study.run()
        #expect(
            output.status == 3 && output.errors.contains("2 evaluation images stand in the fit set too"),
            "\(output.errors)")
    }

    // MARK: Bad pictures

    struct BadPicture: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let evaluation: String
        /// The archive, folder or table, below the folder of data.
        let file: String
        /// The picture's id, which an error names behind the file.
        let picture: String
        /// The number of the others.
        let left: Int
        let spoil: @Sendable (PictureStudy) throws -> Void
    }

    private static func spoil(_ bytes: inout [UInt8]) { bytes.removeLast(bytes.count / 2) }

    private static func inTar(_ archive: String, _ file: String) -> @Sendable (PictureStudy) throws -> Void {
        { try $0.repack(archive) { path, bytes in if path.hasSuffix(file) { spoil(&bytes) } } }
    }

    private static func inFolder(_ path: String) -> @Sendable (PictureStudy) throws -> Void {
        { try $0.edit(path) { $0.removeLast($0.count / 2) } }
    }

    private static let bad: [BadPicture] = [
        .init(
            testDescription: "tar", evaluation: "{dataset: imagenet-r}", file: "imagenet-r/imagenet-r.tar",
            picture: "n02084071/art_1.jpg", left: 7,
            spoil: inTar("imagenet-r/imagenet-r.tar", "n02084071/art_1.jpg")),
        .init(
            testDescription: "tar of tars", evaluation: "{dataset: imagenet-val}",
            file: "imagenet/ILSVRC2012_img_val.tar",
            picture: "ILSVRC2012_val_00000002.JPEG", left: 4,
            spoil: inTar("imagenet/ILSVRC2012_img_val.tar", "00000002.JPEG")),
        .init(
            testDescription: "archive of masks", evaluation: "{dataset: imagenet-s, split: validation}",
            file: "imagenet-s/ImageNetS919.tar",
            picture: "n01440764/ILSVRC2012_val_00000001.png", left: 2,
            spoil: inTar("imagenet-s/ImageNetS919.tar", "00000001.JPEG")),
        .init(
            testDescription: "VOC kit", evaluation: "{dataset: voc-2012, split: val}",
            file: "voc-2012/VOCtrainval_11-May-2012.tar",
            picture: "JPEGImages/2007_000039.jpg", left: 1,
            spoil: { study in
                try study.keepVOCPicturesOfOneClass()
                try inTar("voc-2012/VOCtrainval_11-May-2012.tar", "JPEGImages/2007_000039.jpg")(study)
            }),
        .init(
            testDescription: "folder", evaluation: "{dataset: class-folders, path: $DATA/own/mine}", file: "own/mine",
            picture: "red/1.png", left: 3,
            spoil: { study in
                try OwnPictures.write(OwnPictures.classFolders(), to: study.own("mine"))
                try inFolder("own/mine/red/1.png")(study)
            }),
        .init(
            testDescription: "table", evaluation: "{dataset: image-table, path: $DATA/own/table.csv}", file: "own",
            picture: "1.png", left: 3,
            spoil: { study in
                try OwnPictures.write(OwnPictures.table(), to: study.own(""))
                try inFolder("own/1.png")(study)
            }),
    ]

    @Test(arguments: bad) func badPicturesEndTheRunOrAreListed(bad: BadPicture) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try bad.spoil(study)
        try study.writeMeanAblation(evaluation: bad.evaluation)
        let failed = try study.run()
        #expect(failed.status == 65 && failed.text == "", "\(failed.errors)")
        let last = failed.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }.joined()
        let name = String(bad.picture.split(separator: "/").last?.dropLast(4) ?? "")
        #expect(last.contains(study.data.appendingPathComponent(bad.file).path + "/") && last.contains(name), "\(last)")
        #expect(failed.errors.contains("on-bad-image: skip"), "\(failed.errors)")

        try study.writeMeanAblation(evaluation: bad.evaluation, "on-bad-image: skip\n")
        let run = try study.run()
        try #require(run.status == 0, "\(run.errors)")
        #expect(
            run.errors.contains("1 picture could not be read, left out\n  \(bad.picture): "),
            "\(run.errors.suffix(500))")
        let outcome = try study.outcome()
        #expect(Array(outcome.skipped.keys) == [bad.picture])
        #expect(outcome.labels.count == bad.left && outcome.counts["evaluation"] == bad.left)
        #expect(!outcome.labels.keys.contains { $0.hasSuffix(bad.picture) })
    }

    /// Masks that do not fit their pictures, that are cut, and that show what is no class.
    @Test(arguments: [
        (OwnPictures.mask(of: 1, width: 11), "11×10"), (OwnPictures.mask(of: 1).dropLast(40), "PNG"),
        (LabelPNG.data(width: 12, height: 10, [UInt8](repeating: 9, count: 120)), "9"),
    ])
    func badMasksEndTheRunOrAreListed(mask: Data, words: String) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        var pairs = try OwnPictures.pairs()
        pairs["masks/1.png"] = mask
        try OwnPictures.write(pairs, to: study.own("pairs"))
        let evaluation = "{dataset: image-mask-pairs, path: $DATA/own/pairs}"
        try study.writeSegmentation(evaluation: evaluation)
        let failed = try refusal(study)
        #expect(
            failed.status == 65 && failed.errors.contains("own/pairs/masks/1.png") && failed.errors.contains(words),
            "\(failed.errors)")
        try study.writeSegmentation(evaluation: evaluation, "on-bad-image: skip\n")
        let run = try study.run()
        try #require(run.status == 0, "\(run.errors)")
        let outcome = try study.outcome("segmentation")
        #expect(
            outcome.skipped["1.png"]?.contains(words) == true && outcome.counts["evaluation"] == 3, "\(outcome.skipped)"
        )
    }
}
