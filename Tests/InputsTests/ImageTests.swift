import Foundation
import Foundations
import Inputs
import TestSupport
import Testing

/// PNG files and contact sheets.
@Suite struct ImageTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func pngHoldsThePixels() throws {
        let url = folder.url.appendingPathComponent("scene.png")
        let image = try World.compositor().scene(.val, 0).image
        try image.writePNG(to: url)
        #expect(try Data(contentsOf: url).starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        #expect(try decodedPNG(url) == image)
    }

    @Test(arguments: [(1, 1), (3, 1), (1, 7), (65, 33)]) func pngOfAnySize(width: Int, height: Int) throws {
        let url = folder.url.appendingPathComponent("any.png")
        let image = RGBImage(
            width: width, height: height, pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 * 37) })
        try image.writePNG(to: url)
        #expect(try decodedPNG(url) == image)
    }

    @Test func pngThatCannotBeWrittenLeavesNothing() throws {
        let empty = folder.url.appendingPathComponent("empty.png")
        guard
            case .imageNotWritten(empty.path, _)? = inputError({ try RGBImage(width: 0, height: 0).writePNG(to: empty) }
            )
        else {
            Issue.record("not reported")
            return
        }
        #expect(throws: OutputError.self) {
            try RGBImage(width: 2, height: 2).writePNG(to: folder.url.appendingPathComponent("absent/scene.png"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test func pasteCutsWhatHangsOver() {
        var ground = RGBImage(width: 3, height: 3, grey: 9)
        ground.paste(RGBImage(width: 2, height: 2, grey: 1), x: -1, y: 2, scale: 1)
        ground.paste(RGBImage(width: 1, height: 1, grey: 5), x: 1, y: 0, scale: 2)
        let reds = stride(from: 0, to: 27, by: 3).map { ground.pixels[$0] }
        #expect(reds == [9, 5, 5, 9, 5, 5, 1, 9, 9])
    }

    // MARK: Contact sheet

    func sheet(_ scenes: [EmojiScene], title: String = "world · val · seed 0", showMasks: Bool = false) throws
        -> RGBImage
    {
        try ContactSheet.make(scenes: scenes, title: title, font: World.textFont, showMasks: showMasks)
    }

    @Test func sheetHasEightScenesInARow() throws {
        let compositor = try World.compositor()
        let scenes = (0..<17).map { compositor.scene(.val, $0) }
        let heights = try [0, 1, 8, 9, 16, 17].map { try sheet(Array(scenes.prefix($0))).height }
        let row = heights[1] - heights[0]
        #expect(heights.map { ($0 - heights[0]) / row } == [0, 1, 1, 2, 2, 3])
        #expect(try sheet(scenes).width > 8 * 3 * 64)
    }

    @Test func sheetShowsSceneTitleAndCaption() throws {
        let scene = try World.compositor().scene(.val, 1)
        let whole = try sheet([scene])
        let (blank, other) = (try sheet([], title: ""), try sheet([scene], title: "another"))
        #expect(whole.width == blank.width && whole != other)
        /// Rows and columns where the sheet is not white.
        let inked = stride(from: 0, to: whole.pixels.count, by: 3).filter { whole.pixels[$0] < 128 }.map { $0 / 3 }
        let rows = Set(inked.map { $0 / whole.width })
        // Nothing touches the border: nothing is cut off.
        #expect(!rows.contains(0) && !rows.contains(whole.height - 1))
        #expect(inked.allSatisfy { $0 % whole.width > 0 && $0 % whole.width < whole.width - 1 })
        // Ink under the picture, which ends three times its height below its top.
        #expect((rows.max() ?? 0) > blank.height + 3 * scene.image.height)
    }

    @Test func longCaptionsAreShortenedNotCut() throws {
        let compositor = try World.compositor()
        let scene = compositor.scene(.val, 1)
        func captioned(_ caption: String) -> EmojiScene {
            EmojiScene(image: scene.image, mask: scene.mask, label: 0, otherLabels: [], caption: caption)
        }
        let words = try sheet(
            [captioned(String(repeating: "very ", count: 200) + "long")], title: String(repeating: "title ", count: 100)
        )
        let word = try sheet([captioned(String(repeating: "w", count: 300))])
        for sheet in [words, word] {
            let right = (0..<sheet.height).map { sheet.pixels[($0 * sheet.width + sheet.width - 2) * 3] }
            #expect(right.allSatisfy { $0 == 255 })
        }
        // The next cell stays free of this one's caption.
        let cell = (word.width - 16) / 8
        let beside = (0..<word.height).map { word.pixels[($0 * word.width + 16 + cell) * 3] }
        #expect(beside.suffix(40).allSatisfy { $0 == 255 })
    }

    @Test func masksTintTheObjects() throws {
        let scene = try World.compositor().scene(.seg, 1)
        #expect(try sheet([scene], showMasks: true) != sheet([scene]))
    }

    @Test func fontThatIsMissingOrDrawsNoTextIsNamed() throws {
        let absent = URL(fileURLWithPath: "/nowhere/font.ttf")
        guard
            case .missingFile(absent.path, let purpose)? = inputError({
                try ContactSheet.make(scenes: [], title: "", font: absent)
            })
        else {
            Issue.record("not reported as missing")
            return
        }
        #expect(purpose.contains("fonts-dejavu-core"))
        let emoji = EmojiSources().font
        guard
            case .fontLibrary(emoji.path, _, _)? = inputError({
                try ContactSheet.make(scenes: [], title: "", font: emoji)
            })
        else {
            Issue.record("a colour bitmap font was accepted")
            return
        }
    }
}
