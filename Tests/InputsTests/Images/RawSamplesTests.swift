import Foundation
import Foundations
@testable import Inputs
import Testing

/// The numbers of masks come out as they were stored.
@Suite struct RawSamplesTests {
    @Test func samplesArePillows() throws {
        let cases = try PictureFixtures.sound().filter { $0.samples != nil }
        #expect(cases.count >= 30)
        for item in cases {
            let found = try RawSamples(png: PictureFixtures.data("sound", item.file), name: item.file)
            #expect(found.width == item.width && found.height == item.height, "\(item.file)")
            let bytes = found.samples.withUnsafeBytes { Data($0) }
            #expect(Digest.sha256(of: bytes) == item.samples, "\(item.file)")
        }
    }

    @Test func greyOfFewBitsIsNotSpread() throws {
        for bits in [1, 2, 4] {
            let file = "grey-\(bits)-80x61\(bits == 2 ? "" : "-interlaced").png"
            let found = try #require(try? RawSamples(png: PictureFixtures.data("sound", file), name: file), "\(file)")
            #expect(found.bits == bits && found.channels == 1 && !found.areIndices)
            #expect(found.samples.max() == UInt16(1 << bits - 1), "\(bits) bits")
            // Spread over 0…255 they are the picture's grey.
            let grey = try PictureDecoder.decode(PictureFixtures.data("sound", file), name: file).pixels
            let wrong = found.samples.enumerated().count { Int($1) * 255 / (1 << bits - 1) != Int(grey[$0 * 3]) }
            #expect(wrong == 0, "\(bits) bits: \(wrong) pixels")
        }
    }

    @Test func labelsAreIndicesOrRedAndGreen() throws {
        let palette = try RawSamples(png: PictureFixtures.data("sound", "palette-one-transparent.png"), name: "p")
        #expect(palette.areIndices && palette.labels(.index) == palette.samples && palette.labels(.redGreen) == nil)
        let rgb = try RawSamples(png: PictureFixtures.data("sound", "rgb-transparent.png"), name: "c")
        let labels = try #require(rgb.labels(.redGreen))
        #expect(rgb.labels(.index) == nil && labels.count == 600)
        let expected = (0..<600).map { (pixel: Int) -> UInt16 in
            rgb.samples[pixel * 3] + 256 * rgb.samples[pixel * 3 + 1]
        }
        #expect(labels == expected)
        #expect(labels.contains { $0 > 255 })
    }

    @Test func picturesWithLossHoldNoSamples() throws {
        let jpeg = try PictureFixtures.data("sound", "8x8-420.jpg")
        #expect(
            inputError { try RawSamples(png: jpeg, name: "j") }
                == .pictureRefused(name: "j", fault: .unreadableFormat(.jpeg)))
    }
}
