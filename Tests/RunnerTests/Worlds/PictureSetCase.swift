import Foundation
import Inputs
import TestSupport
import Testing

/// A set of pictures in one of the forms in which people have it, and what a run over it has to say.
struct PictureSetCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The images as a spec names them; `$DATA` stands for the folder of data.
    let fit: String
    let evaluation: String
    /// What rows call the set.
    let dataset: String
    /// Labels by the images' ids in the set.
    let labels: @Sendable () throws -> [String: String]
    let fitCount: Int
    /// Brings the installed sets into the wanted form.
    var prepare: @Sendable (PictureStudy) throws -> Void = { _ in }
    /// Changes pixels of one picture, or of one mask where masks count.
    let change: @Sendable (PictureStudy) throws -> Void

    init(
        _ name: String, fit: String = "{dataset: imagenet-train}", evaluation: String, dataset: String,
        fitCount: Int = 9,
        labels: @escaping @Sendable () throws -> [String: String],
        prepare: @escaping @Sendable (PictureStudy) throws -> Void = { _ in },
        change: @escaping @Sendable (PictureStudy) throws -> Void
    ) {
        testDescription = name
        (self.fit, self.evaluation, self.dataset, self.labels) = (fit, evaluation, dataset, labels)
        (self.fitCount, self.prepare, self.change) = (fitCount, prepare, change)
    }

    // MARK: What Python's readers found

    /// - Parameters:
    ///   - names: of the classes, where the expected ones are numbers.
    ///   - kept: the records of the evaluation, all by default.
    static func expected(
        _ set: String, names: [String]? = nil, where kept: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> @Sendable () throws -> [String: String] {
        {
            let expected = try DataSetFixtures.expected(set)
            let names = names ?? expected.classNames
            return Dictionary(
                uniqueKeysWithValues: expected.records.filter { kept($0.id) }.map { ($0.id, names[$0.labels[0]]) })
        }
    }

    static let imageNet = ["tench", "goldfish", "dog"]

    /// The object of a picture of ImageNet-Segmentation is what its name says.
    static let segmentationLabels: @Sendable () throws -> [String: String] = {
        let names = ["n01440764": "tench", "n01443537": "goldfish", "n02084071": "dog"]
        return Dictionary(
            uniqueKeysWithValues: try DataSetFixtures.expected("imagenet-segmentation").records.map { record in
                (record.id, names.first { record.id.contains($0.key) }?.value ?? "")
            })
    }

    // MARK: Changes

    /// Of a JPEG file: one entry of its first quantisation table (ITU T.81, B.2.4.1), so that it shows something else.
    static func changeJPEG(_ bytes: inout [UInt8]) {
        guard let table = bytes.firstRange(of: [0xFF, 0xDB]) else {
            Issue.record("a JPEG file without a table")
            return
        }
        bytes[table.upperBound + 3] ^= 0x20
    }

    static func changeJPEG(_ data: inout Data) {
        var bytes = Array(data)
        changeJPEG(&bytes)
        data = Data(bytes)
    }

    static func changing(_ archive: String, _ file: String) -> @Sendable (PictureStudy) throws -> Void {
        { try $0.repack(archive) { path, bytes in if path.hasSuffix(file) { changeJPEG(&bytes) } } }
    }

    static func changing(file path: String) -> @Sendable (PictureStudy) throws -> Void {
        { try $0.edit(path) { changeJPEG(&$0) } }
    }
}

extension PictureSetCase {
    /// Sets that the mean-ablation experiment takes: for the evaluation, of one class a picture.
    static let classified: [PictureSetCase] = [
        .init(
            "ImageNet's tars with the development kit", evaluation: "{dataset: imagenet-val}", dataset: "imagenet-val",
            labels: expected("imagenet-val"),
            change: changing("imagenet/ILSVRC2012_img_val.tar", "00000003.JPEG")),
        .init(
            "ImageNet-R, tar", evaluation: "{dataset: imagenet-r}", dataset: "imagenet-r",
            labels: expected("imagenet-r"),
            change: changing("imagenet-r/imagenet-r.tar", "art_1.jpg")),
        .init(
            "ImageNet-R, folder", evaluation: "{dataset: imagenet-r}", dataset: "imagenet-r",
            labels: expected("imagenet-r"),
            prepare: { try $0.unpack("imagenet-r/imagenet-r.tar", into: "imagenet-r") },
            change: changing(file: "imagenet-r/imagenet-r/n02084071/art_0.jpg")),
        .init(
            "ImageNet-S, tar", evaluation: "{dataset: imagenet-s, split: validation}", dataset: "imagenet-s",
            labels: expected("imagenet-s", names: imageNet),
            change: changing("imagenet-s/ImageNetS919.tar", "00000002.JPEG")),
        .init(
            "ImageNet-Segmentation, MAT-file", evaluation: "{dataset: imagenet-segmentation}",
            dataset: "imagenet-segmentation",
            labels: segmentationLabels, change: { try $0.changeMATPicture() }),
        .init(
            "CIFAR-10, binary", fit: "{dataset: cifar-10, split: train}",
            evaluation: "{dataset: cifar-10, split: test}",
            dataset: "cifar-10", fitCount: 10, labels: expected("cifar-10-test"),
            prepare: { try $0.replace("cifar-10/cifar-10-python.tar.gz", by: "cifar-10-binary.tar.gz") },
            change: { study in
                try study.unpack("cifar-10/cifar-10-binary.tar.gz", into: "cifar-10")
                try study.edit("cifar-10/cifar-10-batches-bin/test_batch.bin") { $0[100] ^= 0x80 }
            }),
        .init(
            "CIFAR-10, Python", fit: "{dataset: cifar-10, split: train}",
            evaluation: "{dataset: cifar-10, split: test}",
            dataset: "cifar-10", fitCount: 10, labels: expected("cifar-10-test"),
            change: { study in
                try study.unpack("cifar-10/cifar-10-python.tar.gz", into: "cifar-10")
                // Behind the pickle's own bytes at the beginning lie those of the pictures.
                try study.edit("cifar-10/cifar-10-batches-py/test_batch") { $0[$0.count / 2] ^= 0x40 }
            }),
        .init(
            "CIFAR-100, binary", fit: "{dataset: cifar-100, split: train}",
            evaluation: "{dataset: cifar-100, split: test}",
            dataset: "cifar-100", fitCount: 2, labels: expected("cifar-100-test"),
            change: { study in
                try study.unpack("cifar-100/cifar-100-binary.tar.gz", into: "cifar-100")
                try study.edit("cifar-100/cifar-100-binary/test.bin") { $0[100] ^= 0x80 }
            }),
        .init(
            "CIFAR-100, Python", fit: "{dataset: cifar-100, split: train}",
            evaluation: "{dataset: cifar-100, split: test}",
            dataset: "cifar-100", fitCount: 2, labels: expected("cifar-100-test"),
            prepare: { try $0.replace("cifar-100/cifar-100-binary.tar.gz", by: "cifar-100-python.tar.gz") },
            change: { study in
                try study.unpack("cifar-100/cifar-100-python.tar.gz", into: "cifar-100")
                try study.edit("cifar-100/cifar-100-python/test") { $0[$0.count / 2] ^= 0x40 }
            }),
        .init(
            "VOC 2012, tar", evaluation: "{dataset: voc-2012, split: val}", dataset: "voc-2012",
            labels: expected("voc-classification", where: { !$0.contains("000032") }),
            prepare: { try $0.keepVOCPicturesOfOneClass() },
            change: changing("voc-2012/VOCtrainval_11-May-2012.tar", "JPEGImages/2007_000039.jpg")),
        .init(
            "VOC 2012 as fit images", fit: "{dataset: voc-2012, split: val}", evaluation: "{dataset: imagenet-val}",
            dataset: "imagenet-val", fitCount: 3, labels: expected("imagenet-val"),
            prepare: { try $0.unpack("voc-2012/VOCtrainval_11-May-2012.tar", into: "voc-2012") },
            change: changing(file: "voc-2012/VOCdevkit/VOC2012/JPEGImages/2007_000032.jpg")),
        .init(
            "COCO 2017 as fit images", fit: "{dataset: coco-2017-val}", evaluation: "{dataset: imagenet-val}",
            dataset: "imagenet-val", fitCount: 4, labels: expected("imagenet-val"),
            prepare: { try $0.unpack("coco-2017/val2017.zip", into: "coco-2017") },
            change: changing(file: "coco-2017/val2017/000000000139.jpg")),
        .init(
            "Pascal Context as fit images", fit: "{dataset: pascal-context, split: val}",
            evaluation: "{dataset: imagenet-val}",
            dataset: "imagenet-val", fitCount: 3, labels: expected("imagenet-val"),
            change: changing("pascal-context/VOCtrainval_03-May-2010.tar", "JPEGImages/2007_000039.jpg")),
        .init(
            "COCO 2017, zip", evaluation: "{dataset: coco-2017-val, sample: {first: 1}}", dataset: "coco-2017-val",
            labels: expected("coco-contiguous-ignored-lastWins", where: { $0 == "000000000081.jpg" }),
            change: { study in
                try study.unpack("coco-2017/val2017.zip", into: "coco-2017")
                try study.edit("coco-2017/val2017/000000000081.jpg") { changeJPEG(&$0) }
            }),
        .init(
            "class folders, tar", evaluation: "{dataset: class-folders, path: $DATA/own/mine.tar}", dataset: "mine",
            labels: ownLabels { "\($1)/\($0)" },
            prepare: { try OwnPictures.pack(OwnPictures.classFolders(), below: "mine/", to: $0.own("mine.tar")) },
            change: { study in
                let other = Array(try OwnPictures.another())
                try study.repack("own/mine.tar") { path, bytes in if path.hasSuffix("3.png") { bytes = other } }
            }),
        .init(
            "class folders, folder", evaluation: "{dataset: class-folders, path: $DATA/own/mine}", dataset: "mine",
            labels: ownLabels { "\($1)/\($0)" },
            prepare: { try OwnPictures.write(OwnPictures.classFolders(), to: $0.own("mine")) },
            change: { try $0.edit("own/mine/red/1.png") { $0 = try OwnPictures.another() } }),
        .init(
            "table", evaluation: "{dataset: image-table, path: $DATA/own/table.csv}", dataset: "table",
            labels: ownLabels { name, _ in name },
            prepare: { try OwnPictures.write(OwnPictures.table(), to: $0.own("")) },
            change: { try $0.edit("own/2.png") { $0 = try OwnPictures.another() } }),
        .init(
            "image–mask pairs as fit images", fit: "{dataset: image-mask-pairs, path: $DATA/own/pairs}",
            evaluation: "{dataset: imagenet-val}",
            dataset: "imagenet-val", fitCount: 4, labels: expected("imagenet-val"),
            prepare: { try OwnPictures.write(OwnPictures.pairs(), to: $0.own("pairs")) },
            change: { try $0.edit("own/pairs/images/2.png") { $0 = try OwnPictures.another() } }),
    ]

    /// Sets that the segmentation experiment takes: of one object a picture.
    static let segmented: [PictureSetCase] = [
        .init(
            "ImageNet-Segmentation, MAT-file", evaluation: "{dataset: imagenet-segmentation}",
            dataset: "imagenet-segmentation", labels: segmentationLabels, change: { try $0.changeMATMask() }),
        .init(
            "ImageNet-S, tar", evaluation: "{dataset: imagenet-s, split: validation}", dataset: "imagenet-s",
            labels: expected("imagenet-s", names: imageNet),
            change: { study in
                let png = Array(try anotherRedGreenMask())
                try study.repack("imagenet-s/ImageNetS919.tar") { path, bytes in
                    if path.hasSuffix("00000002.png") { bytes = png }
                }
            }),
        .init(
            "masks of ImageNet-S-50, folder, with ImageNet's pictures",
            evaluation: "{dataset: imagenet-s-50, split: validation}",
            dataset: "imagenet-s-50", labels: expected("imagenet-s", names: imageNet),
            prepare: { try $0.splitImageNetS() },
            change: { study in
                try study.edit("imagenet-s/ImageNetS50/validation-segmentation/n01443537/ILSVRC2012_val_00000002.png") {
                    $0 = try anotherRedGreenMask()
                }
            }),
        .init(
            "pairs, folder", evaluation: "{dataset: image-mask-pairs, path: $DATA/own/pairs}", dataset: "pairs",
            labels: ownLabels { name, _ in name },
            prepare: { try OwnPictures.write(OwnPictures.pairs(), to: $0.own("pairs")) },
            change: { try $0.edit("own/pairs/masks/1.png") { $0 = OwnPictures.mask(of: 1, rows: 1..<9) } }),
        .init(
            "pairs, tar", evaluation: "{dataset: image-mask-pairs, path: $DATA/own/pairs.tar}", dataset: "pairs",
            labels: ownLabels { name, _ in name },
            prepare: { try OwnPictures.pack(OwnPictures.pairs(), below: "pairs/", to: $0.own("pairs.tar")) },
            change: { study in
                let other = Array(OwnPictures.mask(of: 1, rows: 1..<9))
                try study.repack("own/pairs.tar") { path, bytes in if path.hasSuffix("masks/1.png") { bytes = other } }
            }),
        .init(
            "table", evaluation: "{dataset: image-table, path: $DATA/own/table.csv}", dataset: "table",
            labels: ownLabels { name, _ in name },
            prepare: { try OwnPictures.write(OwnPictures.table(), to: $0.own("")) },
            change: { try $0.edit("own/mask-1.png") { $0 = OwnPictures.mask(of: 1, rows: 1..<9) } }),
    ]

    /// Red and green hold the number: the second class in the right half.
    private static func anotherRedGreenMask() throws -> Data {
        var mask = RGBImage(width: 10, height: 8, grey: 0)
        for row in 0..<8 {
            for column in 5..<10 { mask.pixels[(row * 10 + column) * 3] = 2 }
        }
        return try mask.png(for: "mask")
    }

    private static func ownLabels(_ id: @escaping @Sendable (_ name: String, _ label: String) -> String)
        -> @Sendable () throws -> [String: String]
    {
        { Dictionary(uniqueKeysWithValues: OwnPictures.labels.map { (id($0.key, $0.value), $0.value) }) }
    }
}

extension PictureStudy {
    /// A place for the reader's own pictures.
    func own(_ name: String) -> URL { data.appendingPathComponent("own/\(name)") }

    /// Puts another file of the fixtures in a file's place.
    func replace(_ path: String, by fixture: String) throws {
        let url = data.appendingPathComponent(path)
        try FileManager.default.removeItem(at: url)
        try FileManager.default.copyItem(
            at: DataSetFixtures.url(fixture), to: url.deletingLastPathComponent().appendingPathComponent(fixture))
    }

    /// One pixel of the first mask of ImageNet-Segmentation, which lies uncompressed in its file, columns first.
    func changeMATMask() throws {
        let mask = try #require(try DataSetFixtures.expected("imagenet-segmentation").records[0].mask)
        var columns: [UInt8] = []
        for column in 0..<mask.width {
            for row in 0..<mask.height { columns.append(UInt8(mask.labels[row * mask.width + column])) }
        }
        try edit("imagenet-segmentation/gtsegs_ijcv.mat") { data in
            let place = try #require(data.firstRange(of: Data(columns)))
            data[place.lowerBound + 3 * mask.height + 2] ^= 1
        }
    }

    /// One number of the first picture of ImageNet-Segmentation, stored by channel and column.
    func changeMATPicture() throws {
        let path = "imagenet-segmentation/gtsegs_ijcv.mat"
        guard case .pixels(let image) = try ImageNetSegmentation(data.appendingPathComponent(path)).picture(0) else {
            return
        }
        var stored: [UInt8] = []
        for channel in 0..<3 {
            for column in 0..<image.width {
                for row in 0..<image.height { stored.append(image.pixels[(row * image.width + column) * 3 + channel]) }
            }
        }
        try edit(path) { data in
            let place = try #require(data.firstRange(of: Data(stored)))
            data[place.lowerBound + 10] ^= 0x80
        }
    }

    /// Masks of ImageNet-S as a folder under the name of the set of 50 classes, and their pictures in ImageNet's.
    func splitImageNetS() throws {
        let masks = "/validation-segmentation/"
        let whole = try DataSetFixtures.archive("ImageNetS919.tar")
        try whole.unpack(into: data.appendingPathComponent("imagenet-s")) {
            $0.contains(masks) ? $0.replacingOccurrences(of: "ImageNetS919", with: "ImageNetS50") : nil
        }
        try whole.unpack(into: data.appendingPathComponent("imagenet/val")) { path in
            path.contains(masks) ? nil : path.split(separator: "/").last.map(String.init)
        }
        try FileManager.default.removeItem(at: data.appendingPathComponent("imagenet/ILSVRC2012_img_val.tar"))
    }

    /// VOC's list for classification without the picture of two classes.
    func keepVOCPicturesOfOneClass() throws {
        try repack("voc-2012/VOCtrainval_11-May-2012.tar") { path, bytes in
            guard path.hasSuffix("ImageSets/Main/val.txt") else { return }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter {
                !$0.hasPrefix("2007_000032")
            }
            bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        }
    }
}
