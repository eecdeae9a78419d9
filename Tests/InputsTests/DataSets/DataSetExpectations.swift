import Archives
import CZlib
import Foundation
import Inputs
import TestSupport
import Testing

extension DataSetFixtures {
    static func checksum(_ picture: StoredPicture) -> UInt {
        let bytes =
            switch picture {
            case .encoded(let data): [UInt8](data)
            case .pixels(let image): image.pixels
            }
        return crc32(0, bytes, UInt32(bytes.count))
    }
}

extension TemporaryFolder {
    /// The files of an archive as files of this folder.
    func unpacked(_ archive: String) throws -> Folder {
        try DataSetFixtures.archive(archive).unpack(into: url)
        return try Folder(path: url.path)
    }
}

/// Compares class names, records and pictures, and masks where the set has any.
func expectEqual(
    _ collection: any ImageCollection, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let expected = try DataSetFixtures.expected(name)
    #expect(collection.classNames == expected.classNames, sourceLocation: sourceLocation)
    try #require(collection.count == expected.records.count, sourceLocation: sourceLocation)
    for (index, record) in expected.records.enumerated() {
        let found = ImageRecord(id: record.id, labels: record.labels, uncertainLabels: record.uncertain)
        #expect(collection.record(index) == found, sourceLocation: sourceLocation)
        #expect(
            try DataSetFixtures.checksum(collection.picture(index)) == record.crc32, "picture \(record.id)",
            sourceLocation: sourceLocation)
        guard let mask = record.mask, let segmented = collection as? any SegmentedImages else { continue }
        let read = try segmented.mask(index)
        #expect(
            (read.width, read.height) == (mask.width, mask.height), "mask \(record.id)", sourceLocation: sourceLocation)
        let wrong = zip(read.labels, mask.labels).count { $0 != $1 }
        #expect(
            wrong == 0, "\(wrong) of \(mask.labels.count) labels of \(record.id) differ", sourceLocation: sourceLocation
        )
    }
}

/// The fact that `body` throws; a failed expectation when it throws none, or another kind of error.
func dataSetError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> some Any
) -> DataSetError? {
    #expect(throws: DataSetError.self, sourceLocation: sourceLocation) { _ = try body() }
}

/// Files in memory, for what an archive of the tests' own would hold.
struct MemoryFiles: FileCollection {
    let location = "/memory"
    var files: [(path: String, bytes: [UInt8])]

    init(_ files: [String: [UInt8]]) { self.files = files.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    /// A copy of an archive.
    init(_ archive: any FileCollection) throws {
        files = try (0..<archive.count).map { (archive.path(of: $0), try archive.contents(of: $0)) }
    }

    subscript(path: String) -> [UInt8]? {
        get { files.first { $0.path == path }?.bytes }
        set {
            files.removeAll { $0.path == path }
            if let newValue { files.append((path, newValue)) }
        }
    }

    var count: Int { files.count }
    func path(of file: Int) -> String { files[file].path }
    func file(at path: String) -> Int? { files.firstIndex { $0.path == path } }
    func files(under folder: String) -> [Int] {
        files.indices.filter { folder.isEmpty || files[$0].path.hasPrefix(folder + "/") }
            .sorted { files[$0].path.utf8.lexicographicallyPrecedes(files[$1].path.utf8) }
    }
    func size(of file: Int) throws -> Int { files[file].bytes.count }
    func contents(of file: Int) throws -> [UInt8] { files[file].bytes }
}
