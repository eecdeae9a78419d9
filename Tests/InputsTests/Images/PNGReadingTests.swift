import DenseMath
import Foundation
@testable import Inputs
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

    func reason(_ url: URL, largest: Int = 64) -> String? {
        guard case .imageNotRead(url.path, let reason)? = inputError({ try RGBImage(contentsOfPNG: url, largest: largest) }) else {
            Issue.record("not refused as unreadable")
            return nil
        }
        return reason
    }

    @Test(arguments: [(1, 1), (9, 1), (1, 9), (65, 33)]) func readsWhatWasWritten(width: Int, height: Int) throws {
        let image = RGBImage(width: width, height: height, pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 * 37) })
        let url = folder.url.appendingPathComponent("any.png")
        try image.writePNG(to: url)
        #expect(try RGBImage(contentsOfPNG: url, largest: 65) == image)
    }

    /// Fixtures by Pillow: grey, palette, grey with alpha, RGBA, one bit a pixel; each with the
    /// values of `convert("RGB")`.
    @Test func everyColourTypeIsThatOfPillow() throws {
        struct Picture: Decodable {
            let name: String
            let png: Data
            let width: Int
            let height: Int
            let rgb: [UInt8]
        }
        let pictures = try Fixtures.cases(Picture.self, "pictures.json")
        #expect(pictures.count >= 6)
        for picture in pictures {
            let url = try folder.file("\(picture.name).png", picture.png)
            let found = try RGBImage(contentsOfPNG: url, largest: 64)
            #expect(found.width == picture.width && found.height == picture.height, "\(picture.name)")
            let error = zip(found.pixels, picture.rgb).map { abs(Int($0) - Int($1)) }.max()
            #expect(error == 0, "\(picture.name): off by \(error ?? -1)")
        }
    }

    @Test func largerThanAllowedIsRefusedByItsHeader() throws {
        let (image, url, bytes) = try small()
        #expect(
            inputError { try RGBImage(contentsOfPNG: url, largest: 8) }
                == .imageTooLarge(path: url.path, width: 9, height: 7, largest: 8))
        #expect(try RGBImage(contentsOfPNG: url, largest: 9) == image)
        // A header of 500 000 × 500 000 pixels: no memory is taken for them.
        var huge = bytes
        huge.replaceSubrange(16..<24, with: [0, 7, 0xA1, 0x20, 0, 7, 0xA1, 0x20])
        let checksum = crc(huge[12..<29])
        huge.replaceSubrange(29..<33, with: withUnsafeBytes(of: checksum.bigEndian) { Data($0) })
        let file = try folder.file("huge.png", huge)
        #expect(
            inputError { try RGBImage(contentsOfPNG: file, largest: 4096) }
                == .imageTooLarge(path: file.path, width: 500_000, height: 500_000, largest: 4096))
    }

    /// A literal CRC-32, bit by bit.
    func crc(_ bytes: Data) -> UInt32 {
        var value = ~UInt32(0)
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
        }
        return ~value
    }

    @Test func everyCutIsRefused() throws {
        let (_, _, bytes) = try small()
        for length in 0..<bytes.count {
            let file = try folder.file("cut.png", bytes.prefix(length))
            #expect(reason(file) != nil, "\(length) bytes")
        }
    }

    @Test func everyFlippedBitIsRefused() throws {
        let (_, _, bytes) = try small()
        var accepted: [String] = []
        for place in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                let file = try folder.file("flip.png", damaged)
                do {
                    _ = try RGBImage(contentsOfPNG: file, largest: 64)
                    accepted.append("byte \(place), bit \(bit)")
                } catch is InputError {
                    continue
                }
            }
        }
        #expect(accepted.isEmpty)
    }

    /// Damage below right checksums, which only libpng can notice: read or refused, never a trap.
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
                let checksum = crc(damaged[place + 4..<place + 8 + length])
                damaged.replaceSubrange(place + 8 + length..<place + 12 + length, with: withUnsafeBytes(of: checksum.bigEndian) { Data($0) })
                place += 12 + length
                if place + 12 > damaged.count { break }
            }
            let file = try folder.file("damaged.png", damaged)
            do {
                _ = try RGBImage(contentsOfPNG: file, largest: 64)
            } catch is InputError {
                refused += 1
            }
        }
        #expect(refused > 100, "\(refused) of 400")
    }

    @Test(arguments: ["", "not a picture", "\u{89}PNG", "GIF89a"]) func otherFilesAreRefused(text: String) throws {
        #expect(reason(try folder.file("other.png", text)) == "not a PNG file")
    }

    @Test func whatIsNoFileIsNamed() throws {
        let absent = folder.url.appendingPathComponent("absent.png")
        #expect(inputError { try RGBImage(contentsOfPNG: absent, largest: 8) } == .missingFile(path: absent.path, purpose: "a picture"))
        #expect(reason(folder.url) == "not a regular file")
        let pipe = folder.url.appendingPathComponent("pipe.png")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        // Does not wait for somebody to write.
        #expect(reason(pipe) == "not a regular file")
        let large = try folder.file("large.png", "")
        #expect(truncate(large.path, 1 << 34) == 0)
        #expect(reason(large)?.contains("\(1 << 34) bytes") == true)
    }

    @Test func linksAreRefusedWhereTheyMust() throws {
        let (_, url, bytes) = try small()
        let link = folder.url.appendingPathComponent("link.png")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
        #expect(try RegularFile.contents(of: link.path, limit: 1 << 20) == bytes)
        #expect(throws: RegularFile.Fault.isALink) { try RegularFile.contents(of: link.path, limit: 1 << 20, followsLinks: false) }
    }
}
