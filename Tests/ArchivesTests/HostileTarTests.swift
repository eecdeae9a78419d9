import Foundation
import Foundations
import TestSupport
import Testing

@testable import Archives

@Suite struct HostileTarTests {
    /// Each archive begins with a good entry of 1024 bytes and is refused as a whole.
    private func expect(
        _ defect: ArchiveDefect, entry: String?, at offset: Int = 1024, _ build: (inout TarBuilder) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var tar = TarBuilder()
        tar.add("good", data: "good")
        build(&tar)
        let file = try TemporaryFile(tar.closed)
        #expect(
            throws: ArchiveError.refused(location: file.path, entry: entry, offset: offset, defect: defect),
            sourceLocation: sourceLocation
        ) {
            try Archive(path: file.path)
        }
    }

    @Test(arguments: [
        ("../x", ArchiveDefect.leavesFolder), ("a/../../x", .leavesFolder), ("..", .leavesFolder),
        ("./../x", .leavesFolder), ("/etc/passwd", .absolutePath), ("/", .absolutePath), ("", .emptyName),
        ("a//b", .unusualPath), ("a/./b", .unusualPath), ("././a", .unusualPath), ("good", .duplicateName),
        ("./good", .duplicateName),
    ])
    func namesThatLeaveOrRepeat(name: String, defect: ArchiveDefect) throws {
        let isDuplicate = defect == .duplicateName
        try expect(defect, entry: isDuplicate ? "good" : name, at: isDuplicate ? 1536 : 1024) { $0.add(name) }
    }

    @Test func namesThatAreTooLong() throws {
        let name = [UInt8](repeating: UInt8(ascii: "n"), count: 5000)
        try expect(.nameTooLong(bytes: 5001), entry: "././@LongLink") {
            $0.add(Array("././@LongLink".utf8), kind: "L", data: name + [0])
        }
        let record = Array("5012 path=".utf8) + name + [0x0A, 0x0A]
        try expect(
            .nameTooLong(bytes: 5001), entry: String(decoding: name, as: UTF8.self) + "\n", at: 1024 + 512 + 5120
        ) {
            $0.add(Array("pax".utf8), kind: "x", data: record)
            $0.add("x")
        }
    }

    @Test func namesThatAreNotUTF8() throws {
        try expect(.nameNotUTF8, entry: "\u{FFFD}") { $0.add([0xFF]) }
    }

    @Test(arguments: [
        ("1" as Character, ArchiveDefect.hardLink), ("2", .symbolicLink), ("3", .device), ("4", .device),
        ("6", .device), ("S", .sparseFile), ("V", .unsupportedKind(UInt8(ascii: "V"))),
        ("M", .unsupportedKind(UInt8(ascii: "M"))),
    ])
    func kindsThatAreNoFiles(kind: Character, defect: ArchiveDefect) throws {
        try expect(defect, entry: "x") { $0.add("x", kind: kind) }
    }

    @Test func sparseFilesOfPax() throws {
        try expect(.sparseFile, entry: "pax") {
            $0.add("pax", kind: "x", data: "22 GNU.sparse.major=1\n")
            $0.add("x")
        }
    }

    @Test func sizesBeyondTheFile() throws {
        try expect(.beyondEnd(bytes: 5000, available: 1024), entry: "x") { $0.add("x", size: 5000) }
        try expect(.tooLarge(bytes: 1 << 35 - 1 - (1 << 35 - 1) % 8, limit: 16 << 30), entry: "x") {
            $0.add("x", size: 1 << 35 - 1 - (1 << 35 - 1) % 8)
        }
        try expect(.badNumber(field: "size"), entry: nil) {
            $0.add(Array("x".utf8)) { $0.replaceSubrange(124..<136, with: repeatElement(0xBF, count: 12)) }
        }
        try expect(.badNumber(field: "size"), entry: nil) {
            $0.add(Array("x".utf8)) { $0[124] = 0xFF }
        }
        try expect(.badNumber(field: "size"), entry: nil) {
            $0.add(Array("x".utf8)) { $0[126] = UInt8(ascii: "9") }
        }
    }

    @Test func brokenRecordsOfPax() throws {
        for record in ["9 path=x", "99 path=x\n", "0 path=x\n", "path", "4 a\n", "9223372036854775807 a=b\n"] {
            var tar = TarBuilder()
            tar.add("pax", kind: "x", data: record)
            tar.add("x")
            let file = try TemporaryFile(tar.closed)
            #expect(throws: ArchiveError.self, "\(record)") { try Archive(path: file.path) }
        }
    }

    @Test func tarsInTarsAreCheckedAsWell() throws {
        var inner = TarBuilder()
        inner.add("../x")
        let bytes = inner.closed
        try expect(.leavesFolder, entry: "inner.tar/../x", at: 1536) { $0.add(Array("inner.tar".utf8), data: bytes) }
        try expect(.truncated, entry: nil, at: 1536) {
            $0.add(Array("inner.tar".utf8), data: Array("no tar".utf8))
        }
    }

    /// Wherever a tar is cut, it is refused, unless only padding behind its end mark is lost.
    @Test func truncations() throws {
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Samples.path("pax.tar"))))
        let contentEnd = try #require(original.lastIndex { $0 != 0 }) / 512 * 512 + 512
        let file = try TemporaryFile()
        for length in [0, 1, 511, 512, 513, 1024, original.count / 2, contentEnd, contentEnd + 511, original.count - 1]
        {
            try file.write(original[..<length])
            let error = #expect(throws: ArchiveError.self, "\(length) bytes") { try Archive(path: file.path) }
            guard case .refused(file.path, _, let offset, _) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(offset <= length)
        }
        for name in ["pax.tar.gz", "pax.tar.bz2", "pax.tar.xz", "pax.tar.zst"] {
            let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Samples.path(name))))
            for length in Array(stride(from: 0, to: original.count, by: 13)) + [original.count - 1] {
                try file.write(original[..<length])
                #expect(throws: ArchiveError.self, "\(name): \(length) bytes") { try Archive(path: file.path) }
            }
        }
    }

    /// What the decompressors check themselves, and the CRC of gzip, which libarchive does not look at.
    @Test(arguments: ["pax.tar.gz", "pax.tar.bz2", "pax.tar.xz", "pax.tar.zst"]) func damagedStreams(name: String)
        throws
    {
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Samples.path(name))))
        let file = try TemporaryFile()
        // Beyond the file's header, whose times and names no one checks.
        for position in stride(from: 40, to: original.count, by: 7) {
            var bytes = original
            bytes[position] ^= 0x10
            try file.write(bytes)
            guard let archive = try? Archive(path: file.path) else { continue }
            for (path, bytes) in try Samples.files() {
                #expect(try archive.contents(at: path) == bytes, "\(path) after a change at \(position)")
            }
        }
    }

    /// A compressed tar that grows beyond the limits is refused on the way, not when memory is full.
    @Test func bombs() throws {
        let limits = ArchiveLimits(compressionRatio: 2, bytesWithoutRatio: 4096)
        let error = #expect(throws: ArchiveError.self) { try Archive(path: Samples.path("pax.tar.xz"), limits: limits) }
        guard case .refused(_, _, _, .compressionRatio(let bytes, _)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(bytes > 4096)
        #expect(throws: ArchiveError.self) {
            try Archive(path: Samples.path("pax.tar"), limits: ArchiveLimits(entryCount: 3))
        }
    }

    /// Truncations aside, seeded changes of good tars are read or refused, and never trap.
    @Test(.timeLimit(.minutes(1))) func mutationsNeverTrap() throws {
        var generator = SplitMix64(seed: 11)
        var accepted = 0
        let file = try TemporaryFile()
        for name in ["gnu.tar", "pax.tar", "nested.tar", "pax.tar.gz", "pax.tar.bz2", "pax.tar.xz", "pax.tar.zst"] {
            let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Samples.path(name))))
            for _ in 0..<150 {
                try file.write(mutated(original, repairing: name.hasSuffix(".tar"), using: &generator))
                guard let archive = try? Archive(path: file.path) else { continue }
                accepted += 1
                for entry in 0..<archive.count { _ = try? archive.contents(of: entry) }
            }
        }
        #expect(accepted > 0, "some changes, as of data, leave the archive valid")
    }

    /// Changes bytes of headers, and repairs the checksum so that the change is looked at.
    private func mutated(_ original: [UInt8], repairing: Bool, using generator: inout SplitMix64) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[index] =
                Bool.random(using: &generator)
                ? UInt8.random(in: 0...255, using: &generator)
                : bytes[index] ^ 1 << UInt8.random(in: 0..<8, using: &generator)
            let start = index / 512 * 512
            guard repairing, original[start + 257..<start + 262].elementsEqual("ustar".utf8) else { continue }
            bytes.replaceSubrange(start + 148..<start + 156, with: repeatElement(UInt8(ascii: " "), count: 8))
            let sum = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
            bytes.replaceSubrange(start + 148..<start + 148 + sum.utf8.count, with: sum.utf8)
        }
        return bytes
    }
}
