import CJPEG

/// JPEG files: baseline and progressive, Huffman and arithmetic coding, 8 bits; grey, RGB, YCbCr, CMYK, YCCK.
///
/// Decoded with the accurate integer DCT and smooth upsampling, libjpeg's defaults and Pillow's.
enum JPEGFile {
    static func picture(
        _ bytes: UnsafeRawBufferPointer, limit: PixelLimit
    ) throws(PictureFault) -> PictureDecoder.Picture {
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        var facts = cj_facts()
        try check(cj_read_header(start, bytes.count, &facts), facts)
        let (width, height) = (facts.width, facts.height)
        try limit.check(width: width, height: height)

        var outcome = cj_done
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { pixels, count in
            outcome = cj_read_rgb(
                start, bytes.count, Int32(PictureDecoder.mostScans), width, height, pixels.baseAddress, &facts)
            count = outcome == cj_done ? width * height * 3 : 0
        }
        try check(outcome, facts)
        return PictureDecoder.Picture(
            image: RGBImage(width: width, height: height, pixels: pixels), format: .jpeg,
            warning: facts.warnings > 0 ? facts.text : nil)
    }

    private static func check(_ outcome: cj_outcome, _ facts: cj_facts) throws(PictureFault) {
        switch outcome {
        case cj_done: return
        case cj_cut: throw .cut(.jpeg, offset: facts.offset)
        case cj_components: throw .unsupported(.jpeg, reason: "\(facts.components) components")
        case cj_scans: throw .unsupported(.jpeg, reason: "more than \(PictureDecoder.mostScans) scans")
        case cj_no_memory: throw .noMemory(.jpeg)
        default: throw .damaged(.jpeg, reason: facts.text, offset: facts.offset)
        }
    }
}

extension cj_facts {
    /// libjpeg's own words.
    fileprivate var text: String {
        withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
