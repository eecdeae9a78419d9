import CKernels

/// RGB pixels between the two passes of a resizing.
struct PixelGrid {
    let width: Int
    let height: Int
    /// // [height, width, 3]
    let pixels: [UInt8]

    /// A part of an image.
    init(_ image: RGBImage, rows: Range<Int>, columns: Range<Int>) {
        (width, height) = (columns.count, rows.count)
        if rows.count == image.height, columns.count == image.width {
            pixels = image.pixels
        } else if columns.count == image.width {
            pixels = Array(image.pixels[rows.lowerBound * image.width * 3..<rows.upperBound * image.width * 3])
        } else {
            pixels = rows.flatMap { row in
                image.pixels[
                    (row * image.width + columns.lowerBound) * 3..<(row * image.width + columns.upperBound) * 3]
            }
        }
    }

    private init(width: Int, height: Int, pixels: [UInt8]) {
        (self.width, self.height, self.pixels) = (width, height, pixels)
    }

    /// Every row resized. // [height, outputs, 3]
    func resizedAcross(_ weights: ResamplingWeights) -> PixelGrid {
        precondition(weights.sources.upperBound <= width, "weights of this width")
        let columns = weights.starts.count
        let resized = [UInt8](unsafeUninitializedCapacity: height * columns * 3) { out, count in
            ck_resample_columns(
                pixels, width, height, weights.starts, weights.counts, weights.weights, weights.taps, columns,
                out.baseAddress)
            count = height * columns * 3
        }
        return PixelGrid(width: columns, height: height, pixels: resized)
    }

    /// Every column resized. // [outputs, width, 3]
    func resizedDown(_ weights: ResamplingWeights) -> PixelGrid {
        precondition(weights.sources.upperBound <= height, "weights of this height")
        let rows = weights.starts.count
        let resized = [UInt8](unsafeUninitializedCapacity: rows * width * 3) { out, count in
            ck_resample_rows(
                pixels, width * 3, weights.starts, weights.counts, weights.weights, weights.taps, rows, out.baseAddress)
            count = rows * width * 3
        }
        return PixelGrid(width: width, height: rows, pixels: resized)
    }
}
