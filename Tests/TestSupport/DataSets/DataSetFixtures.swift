import Archives
import Foundation

/// The miniature data sets of `scripts/make_dataset_fixtures.py`, and what Python's readers make of them.
public enum DataSetFixtures {
    public static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("InputsTests/Fixtures/datasets")

    public static func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

    public static func archive(_ name: String) throws -> Archive { try Archive(path: url(name).path) }

    /// The bytes of one file of an archive.
    public static func contents(_ archive: String, _ path: String) throws -> [UInt8] {
        try self.archive(archive).contents(at: path)
    }

    /// What a set holds.
    public struct Expected: Decodable {
        public struct Record: Decodable {
            public struct Mask: Decodable {
                public let width, height: Int
                public let labels: [UInt16]
            }

            public let id: String
            public let labels, uncertain: [Int]
            public let crc32: UInt
            public let mask: Mask?
        }

        public let classNames: [String]
        public let records: [Record]
    }

    private struct File: Decodable {
        let sets: [String: Expected]
    }

    public struct NoSuchSet: Error { let name: String }

    /// - Throws: ``NoSuchSet``, and what reading throws.
    public static func expected(_ name: String) throws -> Expected {
        let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: url("expected.json")))
        guard let set = file.sets[name] else { throw NoSuchSet(name: name) }
        return set
    }

    /// Files of the miniature sets, by the folders in which `runner fetch` puts sets of their names.
    private static let published = [
        "imagenet": ["ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz"],
        "imagenet-r": ["imagenet-r.tar"], "imagenet-segmentation": ["gtsegs_ijcv.mat"],
        "imagenet-s": ["ImageNetS919.tar"],
        "cifar-10": ["cifar-10-python.tar.gz"], "cifar-100": ["cifar-100-binary.tar.gz"],
        "voc-2012": ["VOCtrainval_11-May-2012.tar"],
        "pascal-context": ["VOCtrainval_03-May-2010.tar", "trainval.tar.gz", "labels.txt", "59_labels.txt"],
        "coco-2017": ["val2017.zip", "annotations_trainval2017.zip"],
    ]

    /// Copies the miniature sets into a folder of data, under their published names.
    /// - Parameter names: of the folders that are wanted; nil for all.
    public static func install(_ names: Set<String>? = nil, into data: URL) throws {
        for (name, files) in published where names?.contains(name) ?? true {
            let target = data.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            for file in files {
                try FileManager.default.copyItem(at: url(file), to: target.appendingPathComponent(file))
            }
        }
    }
}

extension FileCollection {
    /// Writes the files as files of a folder.
    /// - Parameter name: of the unpacked file, nil leaves it out.
    public func unpack(into folder: URL, _ name: (String) -> String? = { $0 }) throws {
        for file in 0..<count {
            guard let path = name(path(of: file)) else { continue }
            let target = folder.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(contents(of: file)).write(to: target)
        }
    }
}
