import Foundation
import TestSupport
import Testing

@testable import Inputs

/// Sets by their names in specs, from a folder of data as `runner fetch` fills it.
@Suite struct PictureSourceTests {
    /// The miniature sets under their published names.
    static func data() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try DataSetFixtures.install(into: folder.url)
        return folder
    }

    static let classes = PictureSource.ImageNetNames(
        wnids: DataSetFixtures.url("imagenet-wnids.txt"), names: DataSetFixtures.url("imagenet-names.txt"))

    static func source(_ set: PictureSet, _ split: String? = nil, in folder: TemporaryFolder) throws -> PictureSource {
        try PictureSource(set, split: split, path: nil, data: folder.url, classes: classes)
    }

    /// The curated names of ImageNet's three classes here.
    static let names = ["tench", "goldfish", "dog"]

    @Test(
        arguments: [
            (PictureSet.imageNetTrain, nil, "imagenet-train", names), (.imageNetValidation, nil, "imagenet-val", names),
            (.cifar10, "train", "cifar-10-train", nil), (.cifar10, "test", "cifar-10-test", nil),
            (.cifar100, "test", "cifar-100-test", nil), (.voc2012, "val", "voc-classification", nil),
            (.coco2017Validation, nil, "coco-contiguous-ignored-lastWins", nil),
        ] as [(PictureSet, String?, String, [String]?)])
    func setsOpenByTheirNames(set: PictureSet, split: String?, expected: String, names: [String]?) throws {
        let folder = try Self.data()
        let pictures = try Self.source(set, split, in: folder).open(withMasks: false)
        let expected = try DataSetFixtures.expected(expected)
        #expect(pictures.classNames == names ?? expected.classNames)
        try #require(pictures.count == expected.records.count)
        for (index, record) in expected.records.enumerated() {
            #expect(pictures.collection.record(index).id == record.id)
            #expect(pictures.label(index) == (record.labels.count == 1 ? record.labels[0] : nil))
            #expect(pictures.labels(index) == record.labels)
        }
    }

    @Test(
        arguments: [
            (PictureSet.voc2012, "val", "voc-segmentation"), (.pascalContext, "val", "pascal-context"),
            (.coco2017Validation, nil, "coco-contiguous-ignored-lastWins"), (.imageNetS919, "validation", "imagenet-s"),
            (.imageNetSegmentation, nil, "imagenet-segmentation"),
        ] as [(PictureSet, String?, String)])
    func masksNumberTheObjectsOfTheirPicture(set: PictureSet, split: String?, expected: String) throws {
        let folder = try Self.data()
        let pictures = try Self.source(set, split, in: folder).open(withMasks: true)
        let expected = try DataSetFixtures.expected(expected)
        for (index, record) in expected.records.enumerated() {
            let mask = try #require(record.mask)
            let (labels, found) = try #require(try pictures.objects(index))
            #expect((found.width, found.height) == (mask.width, mask.height))
            #expect(Set(labels).count == labels.count)
            if let own = pictures.label(index) { #expect(labels.first == own) }
            // ImageNet-Segmentation tells foreground from background; what it is, the picture's name says.
            let isForeground = set == .imageNetSegmentation
            if isForeground {
                let wnid = record.id.split(separator: "/")[1].split(separator: "_")[0]
                #expect(labels == [["n01440764", "n01443537", "n02084071"].firstIndex(of: wnid) ?? -1])
            }
            let expected = mask.labels.map { label -> Int in
                label == .max
                    ? 255 : label == 0 || isForeground ? Int(label) : (labels.firstIndex(of: Int(label) - 1) ?? -9) + 1
            }
            #expect(found.objects.map { Int($0) } == expected)
        }
    }

    @Test func renditionsAreClassifiedAmongTheirOwnClasses() throws {
        let folder = try Self.data()
        let pictures = try Self.source(.imageNetR, in: folder).open(withMasks: false)
        let expected = try DataSetFixtures.expected("imagenet-r")
        let present = Set(expected.records.flatMap(\.labels)).sorted()
        #expect(present == [1, 2] && pictures.classNames == ["goldfish", "dog"])
        for (index, record) in expected.records.enumerated() {
            #expect(pictures.label(index).map { present[$0] } == record.labels[0])
        }
    }

    @Test func foldersServeAsWellAsArchives() throws {
        let folder = try TemporaryFolder()
        try DataSetFixtures.archive("ILSVRC2012_img_train.tar").unpack(
            into: folder.url.appendingPathComponent("imagenet/val")
        ) {
            $0.replacingOccurrences(of: ".tar/", with: "/")
        }
        // Sorted by class: no development kit is needed.
        let pictures = try Self.source(.imageNetValidation, in: folder).open(withMasks: false)
        #expect(pictures.classNames == Self.names)
        #expect(try pictures.count == DataSetFixtures.expected("imagenet-train").records.count)
    }

    @Test func whatIsNotThereIsNamed() throws {
        let folder = try TemporaryFolder()
        func error(_ body: () throws -> Void) -> DataSetError? {
            #expect(throws: DataSetError.self) { try body() }
        }
        let train = error { _ = try Self.source(.imageNetTrain, in: folder) }
        #expect(
            train
                == .notThere(
                    set: "imagenet-train", place: folder.url.appendingPathComponent("imagenet").path,
                    expected: ["ILSVRC2012_img_train.tar", "train"], purpose: "the training pictures of ImageNet"))
        let own = error {
            _ = try PictureSource(
                .classFolders, split: nil, path: folder.url.appendingPathComponent("none"), data: folder.url,
                classes: Self.classes)
        }
        guard case .notThere(set: "class-folders", _, expected: [], _) = own else {
            return #expect(Bool(false), "\(own as Any)")
        }
        // The flat validation set means nothing without its labels.
        let data = try Self.data()
        try FileManager.default.removeItem(at: data.url.appendingPathComponent("imagenet/ILSVRC2012_devkit_t12.tar.gz"))
        let flat = error { _ = try Self.source(.imageNetValidation, in: data).open(withMasks: false) }
        guard case .notThere(_, _, let expected, _) = flat else { return #expect(Bool(false), "\(flat as Any)") }
        #expect(expected.contains("ILSVRC2012_devkit_t12.tar.gz"))
    }

    @Test func indicesOfArchivesAreKeptAndRenewed() throws {
        let folder = try Self.data()
        let shelf = try TemporaryFolder()
        let indices = IndexedArchive.Shelf(folder: shelf.url) { data, name in
            try? data.write(to: shelf.url.appendingPathComponent(name))
        }
        func ids() throws -> [String] {
            let pictures = try Self.source(.imageNetTrain, in: folder).open(withMasks: false, indices: indices)
            return (0..<pictures.count).map { pictures.collection.record($0).id }
        }
        let first = try ids()
        let kept = try #require(try FileManager.default.contentsOfDirectory(atPath: shelf.url.path).first)
        let index = shelf.url.appendingPathComponent(kept)
        let bytes = try Data(contentsOf: index)
        #expect(try ids() == first)
        // A damaged index, and that of another archive, are made again.
        for spoiled in [Data(bytes.dropLast(3)), Data(bytes.reversed()), Data()] {
            try spoiled.write(to: index)
            #expect(try ids() == first)
            #expect(try Data(contentsOf: index) == bytes)
        }
    }

    /// The manifest and the catalogue agree on names: what `fetch` brings is found.
    @Test func everyPublishedFileOfTheManifestIsLookedFor() throws {
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(5).joined(separator: "/").dropFirst()
        let manifest = try DatasetsManifest(
            contentsOf: URL(fileURLWithPath: String(root)).appendingPathComponent("datasets.manifest"))
        for (name, download) in manifest.downloads ?? [:] where download.kind == .dataset {
            let set = try #require(
                PictureSet.named(name) ?? PictureSet.named(name.replacing("-python", with: "")), "\(name)")
            #expect(set.folder == download.folder ?? name, "\(name)")
            let names = download.files.map(\.name)
            let parts = set.parts(set.splits.first)
            for file in names {
                #expect(parts.contains { $0.names.contains(file) }, "\(name): nobody looks for \(file)")
            }
            for part in parts where !part.isOptional {
                #expect(part.names.contains(where: names.contains), "\(name): fetch does not bring \(part.names)")
            }
        }
    }
}
