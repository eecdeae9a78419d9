import Archives
import Pickle

/// The four forms in which CIFAR is published.
enum CIFARVersion: CaseIterable {
    case python10, binary10, python100, binary100

    /// The version that an archive or folder holds.
    /// - Throws: ``DataSetError/empty(path:expected:)``.
    init(_ files: any FileCollection) throws {
        let names = Set((0..<files.count).map { files.path(of: $0).split(separator: "/").last.map(String.init) ?? "" })
        let version = Self.allCases.first { names.isSuperset(of: [$0.names] + $0.parts(.train) + $0.parts(.test)) }
        guard let version else {
            throw DataSetError.empty(
                path: files.location,
                expected:
                    "CIFAR's names and pictures, such as batches.meta, data_batch_1 to data_batch_5 and test_batch")
        }
        self = version
    }

    var kind: CIFAR.Kind { self == .python10 || self == .binary10 ? .cifar10 : .cifar100 }

    /// The file with the classes' names.
    var names: String {
        switch self {
        case .python10: "batches.meta"
        case .binary10: "batches.meta.txt"
        case .python100: "meta"
        case .binary100: "fine_label_names.txt"
        }
    }

    func parts(_ split: CIFAR.Split) -> [String] {
        switch self {
        case .python10: split == .train ? (1...5).map { "data_batch_\($0)" } : ["test_batch"]
        case .binary10: split == .train ? (1...5).map { "data_batch_\($0).bin" } : ["test_batch.bin"]
        case .python100: [split.rawValue]
        case .binary100: ["\(split.rawValue).bin"]
        }
    }

    func classNames(_ bytes: [UInt8], path: String) throws -> [String] {
        switch self {
        case .python10, .python100:
            let key = self == .python10 ? "label_names" : "fine_label_names"
            let names = try unpickled(bytes, path: path)[key]?.elements?.map(\.string)
            guard let names, !names.contains(nil) else {
                throw InputError.malformedFile(path: path, place: key, expected: "a list of names")
            }
            return names.compactMap { $0 }
        case .binary10, .binary100:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw InputError.malformedFile(path: path, place: "whole file", expected: "UTF-8 text")
            }
            return TextLine.lines(of: text).map { String($0.text) }
        }
    }

    /// - Returns: labels, and pixels // [count, 3, 32, 32]
    func batch(_ bytes: [UInt8], path: String) throws -> (labels: [Int], pixels: [UInt8]) {
        switch self {
        case .python10, .python100: try pickledBatch(bytes, path: path)
        case .binary10: try binaryBatch(bytes, labelBytes: 1, path: path)
        // The coarse label stands in front of the fine one.
        case .binary100: try binaryBatch(bytes, labelBytes: 2, path: path)
        }
    }

    private func binaryBatch(_ bytes: [UInt8], labelBytes: Int, path: String) throws -> (labels: [Int], pixels: [UInt8])
    {
        let record = labelBytes + CIFAR.pictureBytes
        guard bytes.count % record == 0 else {
            throw InputError.malformedFile(
                path: path, place: "byte \(bytes.count / record * record)", expected: "records of \(record) bytes")
        }
        var labels: [Int] = []
        var pixels: [UInt8] = []
        pixels.reserveCapacity(bytes.count)
        for start in stride(from: 0, to: bytes.count, by: record) {
            labels.append(Int(bytes[start + labelBytes - 1]))
            pixels += bytes[start + labelBytes..<start + record]
        }
        return (labels, pixels)
    }

    private func pickledBatch(_ bytes: [UInt8], path: String) throws -> (labels: [Int], pixels: [UInt8]) {
        let batch = try unpickled(bytes, path: path)
        let key = self == .python10 ? "labels" : "fine_labels"
        guard let labels = batch[key]?.elements?.compactMap(\.int) else {
            throw InputError.malformedFile(path: path, place: key, expected: "a list of labels")
        }
        guard let data = batch["data"].flatMap({ NumpyArray($0) }), data.type == "u1", !data.isFortranOrder,
            data.shape.count == 2, data.shape[1] == CIFAR.pictureBytes
        else {
            throw InputError.malformedFile(
                path: path, place: "data", expected: "an array of bytes, pictures × \(CIFAR.pictureBytes)")
        }
        guard labels.count == data.shape[0] else {
            throw DataSetError.pictureCount(path: path, found: data.shape[0], expected: labels.count)
        }
        return (labels, data.bytes)
    }

    private func unpickled(_ bytes: [UInt8], path: String) throws -> PickleValue {
        do {
            return try Unpickler.read(bytes, vocabulary: .numpy, limits: PickleLimits(bytes: 512 << 20)).value
        } catch let error as PickleError {
            throw DataSetError.unreadablePickle(path: path, error)
        }
    }
}
