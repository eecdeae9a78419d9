import Foundation
import Foundations
import Testing

@testable import Archives

@Suite struct HostileZipTests {
    @Test(arguments: [
        ("parent", ArchiveDefect.leavesFolder), ("inner-parent", .leavesFolder), ("absolute", .absolutePath),
        ("empty-part", .unusualPath), ("too-long", .nameTooLong(bytes: 5000)), ("duplicate", .duplicateName),
        ("duplicate-spelling", .duplicateName), ("symbolic-link", .symbolicLink), ("device", .device),
        ("encrypted", .encrypted), ("encrypted-local", .encrypted), ("bzip2-method", .unsupportedMethod(12)),
        ("bomb", .compressionRatio(bytes: 20 << 20, stored: 20387)),
        ("false-size", .compressionRatio(bytes: 10 << 20, stored: 15)),
        ("beyond-end", .beyondEnd(bytes: 5000, available: 10)),
        ("header-beyond-end", .beyondEnd(bytes: 31, available: 0)), ("overlap", .overlap),
        ("headers-disagree", .headersDisagree), ("wrong-count", .badRecord("number of entries")),
        ("several-disks", .badRecord("several disks")), ("not-utf8", .nameNotUTF8), ("zero-byte", .unusualPath),
        ("prefixed", .badRecord("directory offset")),
    ])
    func wholeArchivesAreRefused(name: String, defect: ArchiveDefect) throws {
        let error = #expect(throws: ArchiveError.self) { try Archive(path: Samples.path("hostile/\(name).zip")) }
        guard case .refused(_, let entry, let offset, let found) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found == defect)
        #expect(offset >= 0)
        let isOfTheWhole = ["overlap", "wrong-count", "several-disks", "prefixed"].contains(name)
        #expect((entry == nil) == isOfTheWhole)
    }

    @Test(arguments: ["bad-crc", "bad-crc-deflated", "short-stream", "long-stream"])
    func damagedDataAreFoundWhenTheyAreRead(name: String) throws {
        let archive = try Archive(path: Samples.path("hostile/\(name).zip"))
        let error = #expect(throws: ArchiveError.self) { try archive.contents(at: "a") }
        guard case .refused(_, "a", _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: ["stored.zip", "deflated.zip", "descriptors.zip", "zip64.zip"])
    func truncations(name: String) throws {
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Samples.path(name))))
        let file = try TemporaryFile()
        for length in Array(stride(from: 0, to: original.count, by: 17)) + [1, 512, original.count - 1] {
            try file.write(original[..<length])
            #expect(throws: ArchiveError.self, "\(length) bytes") { try Archive(path: file.path) }
        }
    }

    @Test(.timeLimit(.minutes(1))) func mutationsNeverTrap() throws {
        var generator = SplitMix64(seed: 12)
        var (accepted, read) = (0, 0)
        let file = try TemporaryFile()
        for name in ["stored.zip", "deflated.zip", "descriptors.zip", "zip64.zip"] {
            let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Samples.path(name))))
            let directory = original.count - 1200
            for _ in 0..<400 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    // Half of the changes concern the directory.
                    let start = Bool.random(using: &generator) ? directory : 0
                    let index = Int.random(in: start..<bytes.count, using: &generator)
                    bytes[index] =
                        [0, 0xFF, 0x7F, 0x80, UInt8.random(in: 0...255, using: &generator)]
                        .randomElement(using: &generator) ?? 0
                }
                try file.write(bytes)
                guard let archive = try? Archive(path: file.path) else { continue }
                accepted += 1
                for entry in 0..<archive.count where (try? archive.contents(of: entry)) != nil { read += 1 }
            }
        }
        #expect(accepted > 0 && read > 0, "some changes leave the archive valid")
    }
}
