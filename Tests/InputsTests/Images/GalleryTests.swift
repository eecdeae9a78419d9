import Foundation
@testable import Inputs
import Testing

/// Galleries show what they are given and cut nothing off.
@Suite struct GalleryTests {
    func cell(_ grey: UInt8, _ captions: String...) -> Gallery.Cell {
        Gallery.Cell(RGBImage(width: 32, height: 24, grey: grey), captions: captions)
    }

    func drawn(_ gallery: Gallery) throws -> RGBImage { try gallery.drawn(font: World.textFont) }

    /// Pixels of one grey value.
    func count(_ grey: UInt8, in image: RGBImage) -> Int {
        stride(from: 0, to: image.pixels.count, by: 3).count { image.pixels[$0..<$0 + 3].allSatisfy { $0 == grey } }
    }

    @Test func everyPictureIsShownEnlarged() throws {
        let gallery = Gallery(
            title: "t", columnHeaders: ["a", "b"],
            rows: [
                .init(header: "first", cells: [cell(100), cell(110)]), .init(header: "second", cells: [cell(120)]),
            ], scale: 3)
        let picture = try drawn(gallery)
        for grey: UInt8 in [100, 110, 120] {
            // Anti-aliased letters have greys too, a few pixels of each.
            let (found, expected) = (count(grey, in: picture), 32 * 24 * 9)
            #expect(found >= expected && found < expected + 60, "\(grey): \(found)")
        }
    }

    @Test func missingPictureIsGreyAndKeepsItsPlace() throws {
        let picture = try drawn(
            Gallery(title: "", rows: [.init(cells: [.init(nil, captions: ["time-out"]), cell(100)])], scale: 2))
        #expect(count(Gallery.absentGrey, in: picture) >= 32 * 24 * 4)
        #expect(count(100, in: picture) >= 32 * 24 * 4)
    }

    @Test func wordsChangeThePictureAndStayInTheirPlaces() throws {
        let long = String(repeating: "very ", count: 60)
        func gallery(_ title: String, _ column: String, _ row: String, _ captions: [String]) -> Gallery {
            Gallery(
                title: title, columnHeaders: [column, "right"],
                rows: [
                    .init(
                        header: row,
                        cells: [
                            Gallery.Cell(RGBImage(width: 32, height: 24, grey: 100), captions: captions), cell(110),
                        ])
                ],
                scale: 4)
        }
        let plain = try drawn(gallery("title", "left", "row", ["caption"]))
        let variants = [
            gallery(long, "left", "row", ["caption"]), gallery("title", long, "row", ["caption"]),
            gallery("title", "left", long, ["caption"]), gallery("title", "left", "row", [long, long, long, long]),
            gallery("title", "left", "row", ["caption", "second"]),
        ]
        for (index, variant) in variants.enumerated() {
            let picture = try drawn(variant)
            #expect(picture != plain && picture.width == plain.width && picture.height == plain.height, "\(index)")
            // Pictures are not written over, and nothing touches the border.
            let least = min(count(100, in: picture), count(110, in: picture))
            #expect(least >= 32 * 24 * 16, "\(index): \(least)")
            for y in 0..<picture.height { #expect(picture.pixels[(y * picture.width + picture.width - 1) * 3] == 255) }
            #expect(picture.pixels.suffix(picture.width * 3).allSatisfy { $0 == 255 }, "\(index)")
        }
    }

    @Test func captionsShareThreeLines() throws {
        let face = try FontFace.text(World.textFont)
        try face.setPixelHeight(13)
        let lines = try face.wrapped("one two three four five six", to: 60, lines: 2)
        #expect(lines.count == 2 && lines[1].hasSuffix("…"))
        for line in lines { #expect(try face.width(of: line) <= 60) }
        #expect(try face.wrapped("", to: 60, lines: 3) == [""])
        #expect(try face.shortened(String(repeating: "w", count: 99), to: 60).hasSuffix("…"))
    }

    @Test func emptyGalleriesHaveASize() throws {
        for gallery in [
            Gallery(title: "", rows: []), Gallery(title: "x", columnHeaders: ["a"], rows: [.init(cells: [])]),
        ] {
            let picture = try drawn(gallery)
            #expect(picture.width > 0 && picture.height > 0)
        }
    }

    @Test func missingFontIsNamed() {
        let absent = URL(fileURLWithPath: "/nowhere/font.ttf")
        guard case .missingFile(absent.path, _)? = inputError({ try Gallery(title: "", rows: []).drawn(font: absent) })
        else {
            Issue.record("not reported as missing")
            return
        }
    }
}
