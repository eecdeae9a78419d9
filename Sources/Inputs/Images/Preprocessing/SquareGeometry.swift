import CKernels

/// How a picture of any size becomes a square: the size it is brought to and the part of that which is kept.
/// Pictures and their masks share it.
public struct SquareGeometry: Equatable, Sendable {
    public enum Resize: Equatable, Sendable {
        case none
        /// The shorter side to this length; of the longer one the fraction of a pixel is dropped
        /// (torchvision's `Resize` and `CLIPImageProcessor`).
        case shortestEdge(Int)
        /// The longer side to this length, the other one rounded to the nearest number, halves to the even
        /// one (OpenCLIP's `resize_mode` "longest"; a side that would vanish keeps one pixel).
        case longestEdge(Int)
        /// Both sides, whatever their ratio (OpenCLIP's "squash").
        case exact(width: Int, height: Int)
    }

    /// Where the middle is when there is a pixel too many or too few.
    public enum Centring: String, CaseIterable, Sendable {
        /// A cut is rounded to the even number, a border is narrower in front (torchvision, OpenCLIP).
        case torchvision
        /// A cut is rounded down, a border is wider in front (`CLIPImageProcessor`).
        case transformers
    }

    /// Pixels a side of the square.
    public var size: Int
    public var resize: Resize
    public var centring: Centring

    /// - Precondition: lengths are positive.
    public init(size: Int, resize: Resize, centring: Centring = .torchvision) {
        let lengths: [Int] =
            switch resize {
            case .none: [size]
            case .shortestEdge(let length), .longestEdge(let length): [size, length]
            case .exact(let width, let height): [size, width, height]
            }
        precondition(lengths.allSatisfy { (1...1 << 20).contains($0) }, "a square has pixels")
        (self.size, self.resize, self.centring) = (size, resize, centring)
    }

    /// The resized picture, and the corner of the square in it: negative where there is a border.
    struct Placement: Equatable {
        let width: Int
        let height: Int
        let left: Int
        let top: Int
    }

    /// - Precondition: the picture has pixels.
    func placement(width: Int, height: Int) -> Placement {
        precondition(width > 0 && height > 0, "a picture has pixels")
        let (newWidth, newHeight) = resizedSize(width, height)
        return Placement(width: newWidth, height: newHeight, left: start(newWidth), top: start(newHeight))
    }

    private func resizedSize(_ width: Int, _ height: Int) -> (Int, Int) {
        switch resize {
        case .none: return (width, height)
        case .exact(let width, let height): return (width, height)
        case .shortestEdge(let length):
            func scaled(_ side: Int) -> Int { Int(Double(length * side) / Double(min(width, height))) }
            return (scaled(width), scaled(height))
        case .longestEdge(let length):
            let ratio = Double(max(width, height)) / Double(length)
            func scaled(_ side: Int) -> Int { max(1, Int((Double(side) / ratio).rounded(.toNearestOrEven))) }
            return (scaled(width), scaled(height))
        }
    }

    /// The square's first pixel along a resized side.
    private func start(_ side: Int) -> Int {
        let surplus = side - size
        switch centring {
        case .torchvision:
            return surplus < 0 ? -(-surplus / 2) : Int((Double(surplus) / 2).rounded(.toNearestOrEven))
        case .transformers:
            // Rounded towards minus infinity, for a border as for a cut.
            return surplus >> 1
        }
    }
}

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
