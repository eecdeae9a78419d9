import Foundation
import Foundations
@testable import Inputs
import TestSupport
import Testing

/// PNG files of strangers are read as they were written, or refused with the reason.
@Suite struct PNGReadingTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func small() throws -> (image: RGBImage, url: URL, bytes: Data) {
        let image = RGBImage(width: 9, height: 7, pixels: (0..<9 * 7 * 3).map { UInt8(truncatingIfNeeded: $0 * 41) })
        let url = folder.url.appendingPathComponent("small.png")
        try image.writePNG(to: url)
        return (image, url, try Data(contentsOf: url))
    }

    func read(_ url: URL, side: Int = 64) throws -> RGBImage {
        try RGBImage(contentsOf: url, limit: PixelLimit(side: side))
    }

    func fault(_ url: URL) -> PictureFault? {
        guard case .pictureRefused(url.path, let fault)? = inputError({ try read(url) }) else {
            Issue.record("not refused")
            return nil
        }
        return fault
    }

    func reason(_ url: URL) -> String? {
        guard case .imageNotRead(url.path, let reason)? = inputError({ try read(url) }) else {
            Issue.record("not refused as unreadable")
            return nil
        }
        return reason
    }

    @Test(arguments: [(1, 1), (9, 1), (1, 9), (65, 33)]) func readsWhatWasWritten(width: Int, height: Int) throws {
        let image = RGBImage(
            width: width, height: height, pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 * 37) })
        let url = folder.url.appendingPathComponent("any.png")
        try image.writePNG(to: url)
        #expect(try read(url, side: 65) == image)
    }

    @Test func largerThanAllowedIsRefusedByItsHeader() throws {
        let (image, url, bytes) = try small()
        func tooLarge(_ url: URL, _ width: Int, _ height: Int, side: Int) -> InputError {
            .pictureRefused(
                name: url.path, fault: .tooLarge(width: width, height: height, limit: PixelLimit(side: side)))
        }
        #expect(inputError { try read(url, side: 8) } == tooLarge(url, 9, 7, side: 8))
        #expect(try read(url, side: 9) == image)
        // A header of 500 000 × 500 000 pixels: no memory is taken for them.
        var huge = bytes
        huge.replaceSubrange(16..<24, with: [0, 7, 0xA1, 0x20, 0, 7, 0xA1, 0x20])
        let checksum = CRC32.checksum(of: huge[12..<29])
        huge.replaceSubrange(29..<33, with: withUnsafeBytes(of: checksum.bigEndian) { Data($0) })
        let file = try folder.file("huge.png", huge)
        #expect(inputError { try read(file, side: 4096) } == tooLarge(file, 500_000, 500_000, side: 4096))
    }

    /// As in Pillow: once the picture itself is there, the rest may be missing, but not half a chunk of it.
    @Test func everyCutIsRefusedOrHarmless() throws {
        let (image, _, bytes) = try small()
        // In front of the chunk's name: its length, the checksum of the data, and zlib's own at their end.
        let end = try #require(bytes.range(of: Data("IEND".utf8))?.lowerBound) - 12
        for length in 0..<bytes.count {
            let file = try folder.file("cut.png", bytes.prefix(length))
            if length < end {
                #expect(fault(file) != nil, "\(length) bytes")
            } else {
                #expect(try read(file) == image, "\(length) bytes")
            }
        }
    }

    @Test func everyFlippedBitIsRefusedOrHarmless() throws {
        let (image, _, bytes) = try small()
        var (changed, harmless): ([String], Int) = ([], 0)
        for place in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                guard let found = try? PictureDecoder.picture(damaged, limit: PixelLimit(side: 64)).image else {
                    continue
                }
                if found != image { changed.append("byte \(place), bit \(bit)") }
                harmless += 1
            }
        }
        #expect(changed.isEmpty)
        // The length of the data, which may be too large, their checksum, the chunk at the end, and a few bits of
        // zlib's tables.
        #expect(harmless <= (4 + 4 + 12) * 8 + 10, "\(harmless)")
    }

    /// Damage below right checksums, which only zlib can notice: read or refused, never a trap.
    @Test func damageWithRightChecksumsIsReadOrRefused() throws {
        let (_, _, bytes) = try small()
        var random = SplitMix64(seed: 3)
        var refused = 0
        for _ in 0..<400 {
            var damaged = bytes
            var place = 8
            for _ in 0..<3 {
                let length = damaged[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
                for _ in 0..<2 where length > 0 && random.below(2) == 0 {
                    damaged[place + 8 + random.below(length)] = UInt8(random.below(256))
                }
                let checksum = CRC32.checksum(of: damaged[place + 4..<place + 8 + length])
                damaged.replaceSubrange(
                    place + 8 + length..<place + 12 + length, with: withUnsafeBytes(of: checksum.bigEndian) { Data($0) }
                )
                place += 12 + length
                if place + 12 > damaged.count { break }
            }
            do {
                _ = try PictureDecoder.picture(damaged, limit: PixelLimit(side: 64))
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100, "\(refused) of 400")
    }

    @Test func otherFilesAreRefused() throws {
        #expect(fault(try folder.file("other.png", "")) == .empty)
        #expect(fault(try folder.file("other.png", "not a picture")) == .unknownFormat)
        #expect(fault(try folder.file("other.png", "GIF89a")) == .unreadableFormat(.gif))
    }

    @Test func whatIsNoFileIsNamed() throws {
        let absent = folder.url.appendingPathComponent("absent.png")
        #expect(inputError { try read(absent) } == .missingFile(path: absent.path, purpose: "a picture"))
        #expect(reason(folder.url) == "a folder")
        let pipe = folder.url.appendingPathComponent("pipe.png")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        // Does not wait for somebody to write.
        #expect(reason(pipe) == FileFault.notARegularFile.text)
        let large = try folder.file("large.png", "")
        #expect(truncate(large.path, 1 << 34) == 0)
        #expect(reason(large)?.contains("\(1 << 34) bytes") == true)
    }

    @Test func linksAreRefusedWhereTheyMust() throws {
        let (_, url, bytes) = try small()
        let link = folder.url.appendingPathComponent("link.png")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
        #expect(try RegularFile.contents(of: link.path, limit: 1 << 20) == bytes)
        #expect(throws: FileFault.isALink) {
            try RegularFile.contents(of: link.path, limit: 1 << 20, followsLinks: false)
        }
    }
}
