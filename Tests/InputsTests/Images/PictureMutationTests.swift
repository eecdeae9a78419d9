import Foundation
@testable import Inputs
import Foundations
import Testing

/// Mutated files are read or refused: no trap, no hang, no memory beyond the limit.
@Suite struct PictureMutationTests {
    static let files = [
        "8x8-420.jpg", "17x33-444.jpg", "63x49-422.jpg", "16x16-cmyk.jpg", "restarts-progressive.jpg", "arithmetic.jpg",
        "sampling-4x1.jpg",
        "rgb-8-33x21.png", "rgba-16-33x21.png", "palette-4-33x21.png", "grey-1-80x61-interlaced.png", "animation.png",
        "texts.png", "palette-half-transparent.png",
    ]
    static let limit = PixelLimit(pixels: 1 << 18, side: 1 << 12)

    @Test(arguments: files) func mutationsAreReadOrRefused(file: String) throws {
        let good = try? PictureFixtures.data("sound", file)
        let data = try #require(good, "\(file) is missing")
        var random = SplitMix64(seed: 17)
        var (read, refused) = (0, 0)
        for _ in 0..<250 {
            let mutated = mutate(data, &random)
            do {
                let picture = try PictureDecoder.picture(mutated, limit: Self.limit)
                #expect(picture.image.pixels.count == picture.image.width * picture.image.height * 3)
                read += 1
            } catch {
                refused += 1
            }
            if picture(isPNG: mutated) { _ = try? RawSamples(png: mutated, name: file, limit: Self.limit) }
        }
        #expect(read + refused == 250 && refused > 5, "\(file): \(read) read, \(refused) refused")
    }

    private func picture(isPNG data: Data) -> Bool { data.withUnsafeBytes { PictureFormat($0) } == .png }

    private func mutate(_ data: Data, _ random: inout SplitMix64) -> Data {
        var bytes = data
        let start = random.below(bytes.count)
        switch random.below(6) {
        case 0: bytes[start] = UInt8(random.below(256))
        case 1: bytes[start] ^= 1 << UInt8(random.below(8))
        case 2: bytes = bytes.prefix(start)
        case 3: bytes.removeSubrange(start..<min(bytes.count, start + 1 + random.below(16)))
        case 4: bytes.insert(contentsOf: (0...random.below(16)).map { _ in UInt8(random.below(256)) }, at: start)
        default:
            // The header is where the damage is worst.
            let place = random.below(min(64, bytes.count))
            bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
        }
        // Behind a checksum that is right, the damage goes deeper.
        return random.below(2) == 0 ? bytes : withRightChecksums(bytes)
    }

    private func withRightChecksums(_ data: Data) -> Data {
        var bytes = Data(data)
        var place = 8
        while picture(isPNG: bytes), place + 12 <= bytes.count {
            let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - place - 12 else { break }
            let checksum = CRC32.checksum(of: bytes[place + 4..<place + 8 + length])
            bytes.replaceSubrange(
                place + 8 + length..<place + 12 + length, with: withUnsafeBytes(of: checksum.bigEndian) { Data($0) })
            place += 12 + length
        }
        return bytes
    }
}

/// A literal CRC-32, bit by bit.
enum CRC32 {
    static func checksum(of bytes: Data) -> UInt32 {
        var value = ~UInt32(0)
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
        }
        return ~value
    }
}
