import Archives
import Foundation
import TestSupport
import Testing

/// Sets of pictures that are not what a spec takes them for: each error says where, what was expected and what to do.
@Suite struct BadPictureSetTests {
    private static let folders = "{dataset: class-folders, path: $DATA/own/mine}"

    /// A study on the reader's own class folders, which `spoil` may change.
    private func output(
        _ evaluation: String = folders, _ more: String = "", spoil: (PictureStudy) throws -> Void = { _ in }
    ) throws -> (study: PictureStudy, output: RunnerProcess.Output) {
        let study = try PictureStudy()
        try OwnPictures.write(OwnPictures.classFolders(), to: study.own("mine"))
        try spoil(study)
        try study.writeMeanAblation(evaluation: evaluation, more)
        let output = try study.run()
        try FileManager.default.removeItem(at: study.folder)
        return (study, output)
    }

    private func expect(
        _ output: RunnerProcess.Output, status: Int32 = 65, error: String, fix: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(output.status == status && output.text == "", sourceLocation: sourceLocation)
        let lines = output.errors.split(separator: "\n")
        #expect(
            lines.contains { $0.hasPrefix("error: ") && $0.contains(error) }, "\(output.errors)",
            sourceLocation: sourceLocation)
        #expect(
            lines.contains { $0.hasPrefix("fix: ") && $0.contains(fix) }, "\(output.errors)",
            sourceLocation: sourceLocation)
    }

    @Test(arguments: ["/etc/hostname", "..", "nowhere"]) func linksInFolders(target: String) throws {
        let (study, output) = try output { study in
            try FileManager.default.createSymbolicLink(
                atPath: study.own("mine/red/link.png").path, withDestinationPath: target)
        }
        expect(
            output,
            error:
                "\(study.own("mine").path)/red/link.png: a symbolic link to a folder, out of the set or to nothing; expected files, folders, and links to files",
            fix: "put the files themselves in the link's place")
    }

    @Test func aTableForFoldersAndFoldersForATable() throws {
        let table = try output("{dataset: class-folders, path: $DATA/own/table.csv}") {
            try OwnPictures.write(OwnPictures.table(), to: $0.own(""))
        }
        expect(
            table.output,
            error:
                "\(table.study.own("table.csv").path): a text file, and 'class-folders' reads a folder or an archive",
            fix: "write `dataset: image-table` in the spec")
        let folder = try output("{dataset: image-table, path: $DATA/own/mine}")
        expect(
            folder.output,
            error: "\(folder.study.own("mine").path): a folder, and 'image-table' reads a CSV file of paths and labels",
            fix:
                "write `dataset: class-folders` or `dataset: image-mask-pairs` or `dataset: webdataset` in the spec")
        let picture = try output("{dataset: class-folders, path: $DATA/own/mine/red/1.png}")
        expect(
            picture.output,
            error: "\(picture.study.own("mine/red/1.png").path): a file that is neither a tar nor a zip archive",
            fix: "name a folder, or an archive")
    }

    @Test(arguments: ["first: 5", "random: 5"]) func aSampleLargerThanItsSet(sample: String) throws {
        let (study, output) = try output("{dataset: class-folders, path: $DATA/own/mine, sample: {\(sample)}}")
        let spec = study.folder.appendingPathComponent("spec.yaml").path
        expect(output, error: "\(spec):8:", fix: "change the value")
        #expect(
            output.errors.contains("'evaluation.sample': a sample of 5 pictures from mine, which has 4"),
            "\(output.errors)")
    }

    @Test func anEmptyFileOfClassNames() throws {
        for text in ["", "\n\n"] {
            let (study, output) = try output(Self.folders, "class-names: names.txt\n") { study in
                try Data(text.utf8).write(to: study.folder.appendingPathComponent("names.txt"))
            }
            expect(
                output,
                error:
                    "\(study.folder.appendingPathComponent("names.txt").path): the file is empty, expected is the name of a class in each line",
                fix: "leave the key that names the file out of the spec")
        }
    }

    @Test func aSplitThatAKitDoesNotList() throws {
        let (study, output) = try output("{dataset: voc-2012, split: train}")
        expect(
            output, status: 66,
            error:
                "\(study.data.appendingPathComponent("voc-2012/VOCtrainval_11-May-2012.tar").path): there is no ImageSets/Main/train.txt, "
                + "which is needed for the pictures of a split of Pascal VOC",
            fix: "that the set has this split")
    }

    /// A picture of a format that is not read is one bad picture, whatever it is called.
    @Test(arguments: ["new.webp", "new.png"]) func picturesOfOtherFormats(name: String) throws {
        let webP = Data("RIFF\u{1A}\u{0}\u{0}\u{0}WEBPVP8L".utf8)
        func spoil(_ study: PictureStudy) throws { try webP.write(to: study.own("mine/red/\(name)")) }
        let failed = try output(spoil: spoil)
        expect(
            failed.output,
            error:
                "\(failed.study.own("mine").path)/red/\(name): the picture was not read: a WebP file, not PNG or JPEG",
            fix: "convert it to a baseline JPEG or a PNG file, or leave it out: on-bad-image: skip")
        let (_, skipped) = try output(Self.folders, "on-bad-image: skip\n", spoil: spoil)
        #expect(skipped.status == 0, "\(skipped.errors)")
        #expect(
            skipped.errors.contains(
                "1 picture could not be read, left out\n  red/\(name): a WebP file, not PNG or JPEG"),
            "\(skipped.errors)")
    }

    /// Two sets of the reader's own with one name, and one with a published set's: rows tell them apart.
    @Test(arguments: [
        ("{dataset: class-folders, path: $DATA/own/mine}", "other/mine", ["own/mine", "other/mine"]),
        ("{dataset: class-folders, path: $DATA/own/mine}", "mine.tar", ["mine", "mine.tar"]),
        ("{dataset: class-folders, path: $DATA/own/mine}", "other/yours", ["mine", "yours"]),
        ("{dataset: imagenet-train}", "other/imagenet-train", ["imagenet-train", "other/imagenet-train"]),
    ])
    func setsOfOneName(fit: String, evaluation: String, names: [String]) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try OwnPictures.write(OwnPictures.classFolders(), to: study.own("mine"))
        let (archive, target) = (DataSetFixtures.url("imagenet-r.tar"), study.data.appendingPathComponent(evaluation))
        if target.pathExtension == "tar" {
            try FileManager.default.copyItem(at: archive, to: target)
        } else {
            try Archive(path: archive.path).unpack(into: target)
        }
        try study.writeMeanAblation(fit: fit, evaluation: "{dataset: class-folders, path: $DATA/\(evaluation)}")
        let run = try study.run()
        try #require(run.status == 0, "\(run.errors)")
        let outcome = try study.outcome()
        #expect(
            outcome.labels.count == 8 && outcome.labels.keys.allSatisfy { $0.hasPrefix(names[1] + "/n0") },
            "\(outcome.labels.keys.sorted())")
        #expect(outcome.names == ["fit": names[0], "evaluation": names[1]])
    }

    // MARK: Models

    @Test(arguments: [
        ("openai-vit-b32", "did you mean 'openai-vit-b-32'? Else write"), ("my-weights", "choose one of emoji-clip, "),
    ])
    func aModelThatIsNeitherNameNorPath(model: String, hint: String) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.writeMeanAblation(evaluation: "{dataset: imagenet-val}", model: model)
        let output = try study.run()
        expect(
            output,
            error:
                "spec.yaml:3:8: 'model' is '\(model)', which is no name of the manifest, and no path either: a path has a slash",
            fix: hint)
        #expect(output.errors.contains("the path of your own folder or file as ./\(model)"))
    }

    @Test func picturesThatAreToBePadded() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        let model = study.folder.appendingPathComponent("padded")
        try FileManager.default.copyItem(
            at: RunnerProcess.repository.appendingPathComponent("Tests/CLIPModelTests/Fixtures/Models/openclip"),
            to: model)
        let url = model.appendingPathComponent("open_clip_config.json")
        let text = try String(contentsOf: url, encoding: .utf8)
        try Data(text.replacing("\"resize_mode\": \"shortest\"", with: "\"resize_mode\": \"longest\"").utf8).write(
            to: url)
        try study.writeMeanAblation(evaluation: "{dataset: imagenet-val}", model: "./padded")
        expect(
            try study.run(),
            error:
                "\(url.path): 'preprocess_cfg.resize_mode' is \"longest\", a way to prepare pictures that clip-lens does not have; expected shortest or squash",
            fix: "use a model that was trained with another preprocessing")
    }

    @Test func aPickleThatCallsSomething() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        let url = study.folder.appendingPathComponent("model.pt")
        try FileManager.default.copyItem(
            at: RunnerProcess.repository.appendingPathComponent("Tests/TorchCheckpointTests/Fixtures/evil-reduce.pt"),
            to: url)
        try study.writeMeanAblation(evaluation: "{dataset: imagenet-val}", model: "./model.pt")
        expect(
            try study.run(), error: "\(url.path): its pickle is refused: byte 2: os.system is refused",
            fix: "nothing in it was run; a checkpoint must hold tensors, dictionaries and numbers only")
    }

    @Test func aPickleOfADataSet() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.unpack("cifar-10/cifar-10-python.tar.gz", into: "cifar-10")
        try study.edit("cifar-10/cifar-10-batches-py/test_batch") { $0 = Data("cos\nsystem\n(S'true'\ntR.".utf8) }
        try study.writeMeanAblation(evaluation: "{dataset: cifar-10, split: test}")
        let path = study.data.appendingPathComponent("cifar-10/cifar-10-batches-py").path
        expect(
            try study.run(), error: "\(path)/test_batch: its pickle is refused: byte 0: os.system is refused",
            fix: "take the published file")
    }
}
