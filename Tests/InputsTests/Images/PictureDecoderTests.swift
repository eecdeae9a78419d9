import Foundation
import Foundations
@testable import Inputs
import Testing

/// Pictures are decoded as Pillow decodes them, or refused where Pillow refuses them.
@Suite struct PictureDecoderTests {
    @Test func everySoundPictureIsPillows() throws {
        let cases = try PictureFixtures.sound()
        #expect(cases.count >= 200)
        for item in cases {
            let image = try PictureDecoder.decode(PictureFixtures.data("sound", item.file), name: item.file)
            #expect(image.width == item.width && image.height == item.height, "\(item.file)")
            let difference = item.pixels.map { firstDifference(image.pixels, $0, width: item.width) } ?? "not stored"
            #expect(Digest.sha256(of: Data(image.pixels)) == item.rgb, "\(item.file): \(difference)")
        }
    }

    /// Where libjpeg-turbo's releases differ: it estimates what the missing scans of a cut-off progressive
    /// file would have brought, and did so otherwise before release 3.
    static let estimated: Set<String> = ["one-scan.jpg", "scans-left-out.jpg"]

    @Test func everyOddPictureHasPillowsVerdict() throws {
        let cases = try PictureFixtures.odd()
        #expect(cases.count >= 70)
        var (read, refused) = (0, 0)
        for item in cases {
            let data = try PictureFixtures.data("odd", item.file)
            do {
                let picture = try PictureDecoder.picture(data)
                read += 1
                #expect(item.rgb != nil, "\(item.file): read, but Pillow refuses it")
                if Self.estimated.contains(item.file) { continue }
                #expect(Digest.sha256(of: Data(picture.image.pixels)) == item.rgb, "\(item.file): other pixels")
            } catch {
                refused += 1
                #expect(item.rgb == nil, "\(item.file): \(error), but Pillow reads it")
            }
        }
        #expect(read >= 20 && refused >= 40, "\(read) read, \(refused) refused")
    }

    @Test func contentDecidesAndNotTheName() throws {
        func format(_ file: String) throws -> PictureFormat {
            try PictureDecoder.picture(PictureFixtures.data("sound", file)).format
        }
        #expect(try format("named-jpeg.jpg") == .png)
        #expect(try format("named-png.png") == .jpeg)
        #expect(try format("8x8-420.jpg") == .jpeg)
    }

    static let others: [(String, PictureFormat)] = [
        ("GIF87a", .gif), ("GIF89a", .gif), ("BM", .bmp), ("RIFF\u{1}\u{2}\u{3}\u{4}WEBP", .webp), ("II*\0", .tiff),
        ("MM\0*", .tiff), ("\0\0\0\u{C}jP  ", .jpeg2000), ("\0\0\0\u{C}JXL ", .jpegXL), ("\0\0\0\u{20}ftypavif", .heif),
        ("P6 1 1 255 ", .netpbm), ("8BPS", .photoshop),
    ]

    @Test(arguments: others) func otherFormatsAreRefusedByTheirNames(text: String, format: PictureFormat) {
        #expect(throws: PictureFault.unreadableFormat(format)) {
            try PictureDecoder.picture(Data(text.utf8) + Data(count: 20))
        }
    }

    @Test func whatIsNoPictureIsRefused() {
        #expect(throws: PictureFault.empty) { try PictureDecoder.picture(Data()) }
        for text in ["x", "not a picture", "\u{89}PNG", "RIFF\0\0\0\0WAVE"] {
            #expect(throws: PictureFault.unknownFormat, "\(text)") { try PictureDecoder.picture(Data(text.utf8)) }
        }
        // The first two bytes of JPEG alone.
        #expect(throws: PictureFault.unknownFormat) { try PictureDecoder.picture(Data([0xFF, 0xD8, 0xDB])) }
    }

    @Test func namesAndFactsAreInTheError() throws {
        let cut = try PictureFixtures.data("odd", "cut-in-data.png")
        guard
            case .pictureRefused("n", .cut(.png, let offset))? = inputError({
                try PictureDecoder.decode(cut, name: "n")
            })
        else {
            Issue.record("not refused as cut")
            return
        }
        #expect(offset == cut.count)
        let short = try PictureFixtures.data("odd", "cut-in-scan.jpg")
        #expect(throws: PictureFault.self) { try PictureDecoder.picture(short) }
        let header = try PictureFixtures.data("odd", "checksum-of-header.png")
        #expect(throws: PictureFault.damaged(.png, reason: "wrong checksum of IHDR", offset: 8)) {
            try PictureDecoder.picture(header)
        }
        #expect(throws: PictureFault.unsupported(.jpeg, reason: "2 components")) {
            try PictureDecoder.picture(PictureFixtures.data("odd", "two-components.jpg"))
        }
    }

    @Test func mendedDamageIsAWarning() throws {
        let mended = try PictureDecoder.picture(PictureFixtures.data("odd", "restart-in-scan.jpg"))
        #expect(mended.warning?.isEmpty == false)
        #expect(try PictureDecoder.picture(PictureFixtures.data("sound", "8x8-420.jpg")).warning == nil)
    }

    // MARK: Limits

    @Test(arguments: ["huge.png", "gigantic.png", "huge.jpg"]) func hugeHeadersTakeNoMemory(file: String) throws {
        let data = try PictureFixtures.data("odd", file)
        let before = peakMemory()
        #expect {
            try PictureDecoder.picture(data)
        } throws: { error in
            if case PictureFault.tooLarge = error { true } else { false }
        }
        let grown = peakMemory() - before
        // Other tests run meanwhile; the pixels of the smallest of them would take 9 GB.
        #expect(grown < 1 << 30, "\(grown) bytes more")
    }

    /// Of the process so far, in bytes.
    private func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss << 10
    }

    @Test func limitIsTheLargestThatIsRead() throws {
        for file in ["100x75-444.jpg", "rgb-8-80x61-interlaced.png"] {
            let data = try PictureFixtures.data("sound", file)
            let image = try PictureDecoder.decode(data, name: file)
            let (pixels, side) = (image.width * image.height, max(image.width, image.height))
            #expect(try PictureDecoder.picture(data, limit: PixelLimit(pixels: pixels, side: side)).image == image)
            for limit in [PixelLimit(pixels: pixels - 1, side: side), PixelLimit(pixels: pixels, side: side - 1)] {
                #expect(throws: PictureFault.tooLarge(width: image.width, height: image.height, limit: limit)) {
                    try PictureDecoder.picture(data, limit: limit)
                }
            }
        }
    }

    /// A progressive file whose last scan comes again and again: every scan costs a pass over the picture.
    @Test func scansWithoutEndAreRefused() throws {
        let data = try PictureFixtures.data("sound", "100x75-444.jpg")
        let start = try #require(data.range(of: Data([0xFF, 0xDA]), options: .backwards)?.lowerBound)
        let (front, scan, end) = (data[..<start], data[start..<data.endIndex - 2], data[(data.endIndex - 2)...])
        func repeated(_ count: Int) -> Data { front + (0..<count).flatMap { _ in scan } + end }
        #expect(try PictureDecoder.picture(repeated(1)).image == PictureDecoder.picture(data).image)
        _ = try PictureDecoder.picture(repeated(50))
        #expect(throws: PictureFault.unsupported(.jpeg, reason: "more than 100 scans")) {
            try PictureDecoder.picture(repeated(200))
        }
    }

    // MARK: Threads

    @Test func picturesAreDecodedSideBySide() throws {
        let files = ["500x375-420.jpg", "333x500-444.jpg", "rgba-16-80x61-interlaced.png", "palette-4-33x21.png"]
        let cases = try PictureFixtures.sound().filter { files.contains($0.file) }
        let data = try cases.map { try PictureFixtures.data("sound", $0.file) }
        let wrong = Counter()
        DispatchQueue.concurrentPerform(iterations: 40) { index in
            let place = index % cases.count
            let found = (try? PictureDecoder.picture(data[place])).map { Digest.sha256(of: Data($0.image.pixels)) }
            if found != cases[place].rgb { wrong.increment() }
        }
        #expect(cases.count == files.count && wrong.value == 0, "\(wrong.value) of 40")
    }
}

/// Counts from several threads.
private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var value: Int { lock.withLock { count } }
    func increment() { lock.withLock { count += 1 } }
}
