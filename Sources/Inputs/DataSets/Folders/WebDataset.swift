import Archives
import Foundation

/// Pictures in shards, as CLIP_benchmark writes and reads them: `classnames.txt` and
/// `zeroshot_classification_templates.txt` beside a folder a split, in it `nshards.txt` and so many tars from `0.tar` on. In a
/// tar each sample is a picture and, under the same name, `.cls` with the number of its class, or `.npy` with a 0 or 1 for each
/// class.
///
/// Source: github.com/LAION-AI/CLIP_benchmark, `clip_benchmark/datasets/builder.py`.
public struct WebDataset: ImageCollection {
    public let classNames: [String]
    /// Sentences with `{}` for the name of a class; nil where the set has none.
    let templates: [String]?
    private let shards: [any FileCollection]
    private let samples: [Sample]

    private struct Sample {
        var shard: Int
        var file: Int
        var labels: [Int]
    }

    /// More shards than any set has; the number comes from a file.
    private static let mostShards = 100_000
    private static let labelBytes = 1 << 20

    /// - Parameter indices: where indices of archives are kept; nil keeps none.
    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    init(_ folder: URL, split: String, indices: IndexedArchive.Shelf?) throws {
        classNames = try PromptSet.classNames(folder.appendingPathComponent("classnames.txt"))
        let templates = folder.appendingPathComponent("zeroshot_classification_templates.txt")
        self.templates =
            FileManager.default.fileExists(atPath: templates.path)
            ? try PromptSet.texts(templates).map { $0.replacing("{c}", with: PromptSet.placeholder) } : nil
        let part = folder.appendingPathComponent(split, isDirectory: true)
        shards = try (0..<Self.shardCount(part)).map {
            try IndexedArchive.open(part.appendingPathComponent("\($0).tar"), indices: indices)
        }
        var samples: [Sample] = []
        for (shard, files) in shards.enumerated() {
            samples += try Self.samples(files, shard: shard, classes: classNames.count)
        }
        guard !samples.isEmpty else {
            throw DataSetError.empty(path: part.path, expected: "pictures with their labels")
        }
        self.samples = samples
    }

    private static func shardCount(_ part: URL) throws -> Int {
        let url = part.appendingPathComponent("nshards.txt")
        let text = try TextFile.text(url, purpose: "the number of a split's shards").trimmingCharacters(
            in: .whitespacesAndNewlines)
        guard let count = Int(text), (1...mostShards).contains(count) else {
            throw InputError.malformedFile(
                path: url.path, place: "line 1", expected: "a number from 1 to \(mostShards)")
        }
        return count
    }

    /// The samples of a shard, in the order of its files: pictures and labels go by their name up to the first dot.
    private static func samples(_ files: any FileCollection, shard: Int, classes: Int) throws -> [Sample] {
        var (pictures, labels) = ([String: Int](), [String: Int]())
        for file in files.files() {
            let (name, ending) = parts(files.path(of: file))
            if PictureFile.isPicture("a." + ending) {
                guard pictures.updateValue(file, forKey: name) == nil else {
                    throw DataSetError.pictureListedTwice(path: files.location, place: name, picture: name)
                }
            } else if ending == "cls" || ending == "npy" {
                labels[name] = file
            }
        }
        // One pass: a shard may be compressed.
        let contents = try files.contents(of: Array(labels.values), limit: FileLimit.text)
        if let lonely = labels.keys.filter({ pictures[$0] == nil }).sortedByBytes().first {
            throw DataSetError.missingPicture(path: files.location, place: lonely, picture: lonely)
        }
        return try pictures.sorted { $0.key.precedesByBytes($1.key) }.map { name, file in
            guard let label = labels[name], let bytes = contents[label] else {
                throw InputError.malformedFile(
                    path: files.place(of: file), place: "its label", expected: "\(name).cls or \(name).npy beside it")
            }
            let place = files.place(of: label)
            let found =
                parts(place).ending == "cls"
                ? [try index(bytes, place: place)] : try flags(bytes, place: place, classes: classes)
            for label in found where !(0..<classes).contains(label) {
                throw DataSetError.labelOutOfRange(path: files.location, place: name, label: label, classes: classes)
            }
            return Sample(shard: shard, file: file, labels: found)
        }
    }

    /// The name and what follows the first dot of its last component, in lower case.
    private static func parts(_ path: String) -> (name: String, ending: String) {
        let start = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
        guard let dot = path[start...].firstIndex(of: ".") else { return (path, "") }
        return (String(path[..<dot]), path[path.index(after: dot)...].lowercased())
    }

    private static func index(_ bytes: [UInt8], place: String) throws -> Int {
        let text = String(decoding: bytes.prefix(32), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let label = Int(text) else {
            throw InputError.malformedFile(path: place, place: "whole file", expected: "the number of a class")
        }
        return label
    }

    /// The classes whose number in a NumPy array of whole numbers is not 0.
    private static func flags(_ bytes: [UInt8], place: String, classes: Int) throws -> [Int] {
        func malformed(_ expected: String) -> InputError {
            .malformedFile(path: place, place: "whole file", expected: expected)
        }
        let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
        guard bytes.count >= 12, bytes.starts(with: magic), [1, 2].contains(bytes[6]) else {
            throw malformed("a NumPy array")
        }
        let lengthBytes = bytes[6] == 1 ? 2 : 4
        let headerBytes = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
        let start = 8 + lengthBytes + headerBytes
        guard headerBytes <= labelBytes, start <= bytes.count else { throw malformed("a NumPy array") }
        let header = String(decoding: bytes[8 + lengthBytes..<start], as: UTF8.self)
        guard let type = header.firstMatch(of: /'descr': *'[<|]([iub])([1248])'/), let width = Int(type.2),
            let shape = header.firstMatch(of: /'shape': *\(([0-9]+),\)/), let count = Int(shape.1), count == classes,
            bytes.count == start + count * width
        else { throw malformed("\(classes) whole numbers, one for each class") }
        return (0..<count).filter { bytes[start + $0 * width..<start + ($0 + 1) * width].contains { $0 != 0 } }
    }

    public var count: Int { samples.count }

    public func record(_ index: Int) -> ImageRecord {
        let sample = samples[index]
        return ImageRecord(id: "\(sample.shard)/" + shards[sample.shard].path(of: sample.file), labels: sample.labels)
    }

    public func picture(_ index: Int) throws -> StoredPicture {
        try shards[samples[index].shard].picture(samples[index].file)
    }

    public func place(_ index: Int) -> String { shards[samples[index].shard].place(of: samples[index].file) }
}

extension PictureSet {
    /// Shards as CLIP_benchmark has them.
    public static let webDataset = PictureSet(
        "webdataset", isReaders: true, splits: ["train", "val", "test"],
        parts: { split in
            [
                Part("folder", ["."], "shards of pictures with their classes"),
                Part("shards", ["\(split ?? "")/nshards.txt"], "the number of the split's shards"),
            ]
        },
        open: {
            let set = try WebDataset($0.url("folder"), split: $0.split, indices: $0.indices)
            return LabelledPictures(set, templates: set.templates)
        })
}
