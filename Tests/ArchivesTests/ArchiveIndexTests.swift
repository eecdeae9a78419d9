import Foundation
import Foundations
import TestSupport
import Testing

@testable import Archives

@Suite struct ArchiveIndexTests {
    @Test(arguments: ArchiveTests.archives + ["nested.tar"])
    func keptIndicesReplaceTheScan(name: String) throws {
        let scanned = try Archive(path: Samples.path(name))
        let kept = try ArchiveIndex(serialized: scanned.index.serialized())
        #expect(kept == scanned.index)
        let archive = try Archive(path: Samples.path(name), index: kept)
        for file in 0..<archive.count {
            #expect(try archive.contents(of: file) == scanned.contents(of: file))
        }
    }

    @Test func anotherSizeIsRefused() throws {
        let index = try Archive(path: Samples.path("pax.tar")).index
        #expect(
            throws: ArchiveError.staleIndex(
                location: Samples.path("nested.tar"), reason: .size(indexed: 20480, found: 30720))
        ) {
            try Archive(path: Samples.path("nested.tar"), index: index)
        }
    }

    /// Another archive of the same size: its entries lie elsewhere.
    @Test func movedHeadersAreRefused() throws {
        func tar(_ names: [String]) -> [UInt8] {
            var tar = TarBuilder()
            for name in names { tar.add(name, data: name) }
            return tar.closed
        }
        let file = try TemporaryFile(tar(["a", "b", "c"]))
        let index = try Archive(path: file.path).index
        try file.write(tar(["a", "c", "b"]))
        #expect(throws: ArchiveError.staleIndex(location: file.path, reason: .movedHeaders)) {
            try Archive(path: file.path, index: index)
        }
        for name in ["stored.zip", "pax.tar.gz"] {
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Samples.path(name))))
            let index = try Archive(path: Samples.path(name)).index
            bytes[bytes.count - 20] ^= 1
            try file.write(bytes)
            #expect(throws: ArchiveError.staleIndex(location: file.path, reason: .movedHeaders)) {
                try Archive(path: file.path, index: index)
            }
        }
    }

    /// What a sample does not see, the read does: the header in front of the data is gone.
    @Test func entriesWhoseHeadersAreGoneAreNotRead() throws {
        var tar = TarBuilder()
        for number in 0..<200 { tar.add("file \(number)", data: "\(number)") }
        let file = try TemporaryFile(tar.closed)
        let archive = try Archive(path: file.path)
        var bytes = tar.closed
        bytes.replaceSubrange(1024..<1536, with: repeatElement(7, count: 512))
        try file.write(bytes)
        let reopened = try Archive(path: file.path, index: archive.index)
        #expect(throws: ArchiveError.staleIndex(location: file.path, reason: .movedHeaders)) {
            try reopened.contents(of: 1)
        }
        #expect(try reopened.contents(of: 2) == Array("2".utf8))
    }

    /// Storage and lookup at the size of ImageNet's train archive, scaled down: bytes an entry.
    @Test func indicesAreCompact() throws {
        var outer = TarBuilder()
        for synset in 0..<20 {
            var inner = TarBuilder()
            for image in 0..<130 { inner.add("n0144\(1000 + synset)_\(image * 37).JPEG", data: "\(image)") }
            outer.add(Array("n0144\(1000 + synset).tar".utf8), data: inner.closed)
        }
        let file = try TemporaryFile(outer.closed)
        let archive = try Archive(path: file.path)
        #expect(archive.count == 2600)
        let bytes = archive.index.serialized().count
        #expect(bytes / archive.count < 20, "\(bytes) bytes for \(archive.count) entries")
        #expect(try archive.contents(at: "n01441007.tar/n01441007_3700.JPEG") == Array("100".utf8))
    }

    /// Truncations and seeded changes are refused: the hash covers every byte.
    @Test func mutatedIndicesAreRefused() throws {
        let original = try Archive(path: Samples.path("deflated.zip")).index.serialized()
        for length in 0..<original.count {
            #expect(throws: ArchiveError.self) { try ArchiveIndex(serialized: Array(original[..<length])) }
        }
        var generator = SplitMix64(seed: 3)
        for _ in 0..<2000 {
            var bytes = original
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            #expect(throws: ArchiveError.self) { try ArchiveIndex(serialized: bytes) }
            // With a hash that fits, the numbers themselves are checked.
            var hash = FNV1a()
            hash.combine(bytes.dropLast(8))
            withUnsafeBytes(of: hash.value.littleEndian) {
                bytes.replaceSubrange(bytes.count - 8..<bytes.count, with: $0)
            }
            guard let index = try? ArchiveIndex(serialized: bytes) else { continue }
            for entry in 0..<index.count { _ = index[entry] }
        }
    }

    @Test func otherVersionsAreNamed() throws {
        var bytes = try Archive(path: Samples.path("deflated.zip")).index.serialized()
        bytes[8] = 9
        #expect(throws: ArchiveError.unknownIndexVersion(9)) { try ArchiveIndex(serialized: bytes) }
    }
}
