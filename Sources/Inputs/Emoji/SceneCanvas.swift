import Foundations

/// Where and how an object stands in a scene.
struct Placement {
    /// Centre in pixels.
    var x: Double
    var y: Double
    /// Width of the sprite's square in pixels.
    var size: Double
    /// tan(θ/2) of the rotation.
    var halfTangent: Double
    var mirrored: Bool
    /// The part of the sprite that is drawn, in its pixels.
    var source = Source(x: 0, y: 0, side: Double(Sprite.size))
    var colour = ColourTurn.identity

    struct Source {
        var x: Double
        var y: Double
        var side: Double
    }
}

/// A linear map of RGB: a turn about the grey axis, or grey, followed by a gain for each channel.
struct ColourTurn {
    /// Rows of the 3×3 matrix.
    var rows: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)

    static let identity = ColourTurn(rows: ([1, 0, 0], [0, 1, 0], [0, 0, 1]))

    /// Rec. 601 luma in every channel.
    static let grey = ColourTurn(
        rows: ([0.299, 0.587, 0.114], [0.299, 0.587, 0.114], [0.299, 0.587, 0.114]))

    /// Rotation about (1,1,1) by the angle whose half has the tangent `t` (Rodrigues' formula).
    static func turn(halfTangent t: Double) -> ColourTurn {
        let cosine = (1 - t * t) / (1 + t * t)
        let sine = 2 * t / (1 + t * t)
        let even = (1 - cosine) / 3
        let odd = sine * 0.577_350_269_189_625_8  // 1/√3
        return ColourTurn(
            rows: (
                [cosine + even, even - odd, even + odd],
                [even + odd, cosine + even, even - odd],
                [even - odd, even + odd, cosine + even]
            ))
    }

    func scaled(by gains: SIMD3<Double>) -> ColourTurn {
        ColourTurn(rows: (rows.0 * gains.x, rows.1 * gains.y, rows.2 * gains.z))
    }

    func callAsFunction(_ rgb: SIMD3<Double>) -> SIMD3<Double> {
        [rows.0.dot(rgb), rows.1.dot(rgb), rows.2.dot(rgb)]
    }
}

extension SIMD3<Double> {
    /// The scalar product, added from left to right: the order of the standard library's `sum()` is
    /// nobody's promise, and the last bit of a scene depends on it.
    func dot(_ other: Self) -> Double {
        let products = self * other
        return products.x + products.y + products.z
    }
}

/// A scene under construction: colours in [0, 1] and the object that each pixel shows.
struct SceneCanvas {
    let size: Int
    /// Linear RGB in [0, 1]. // [size, size]
    var pixels: [SIMD3<Double>]
    /// 0 where the background shows, k where object k does. // [size, size]
    var objects: [UInt8]

    init(size: Int, background: [SIMD3<Double>]) {
        self.size = size
        pixels = background
        objects = [UInt8](repeating: 0, count: size * size)
    }

    /// Draws a sprite over what is there: bilinear samples on a 2×2 grid inside every pixel, averaged.
    /// - Parameter object: the number written where the sprite covers at least half a pixel; 0 for clutter.
    mutating func draw(_ sprite: Sprite, _ placement: Placement, object: UInt8) {
        let t = placement.halfTangent
        let cosine = (1 - t * t) / (1 + t * t)
        let sine = 2 * t / (1 + t * t)
        let reach = placement.size * (abs(cosine) + abs(sine)) / 2 + 1
        let columns = clamped(placement.x - reach)..<clamped(placement.x + reach)
        for row in clamped(placement.y - reach)..<clamped(placement.y + reach) {
            for column in columns {
                var sum = SIMD4<Double>.zero
                for sub in 0..<4 {
                    let dx = Double(column) + (sub & 1 == 0 ? 0.25 : 0.75) - placement.x
                    let dy = Double(row) + (sub & 2 == 0 ? 0.25 : 0.75) - placement.y
                    var u = (cosine * dx + sine * dy) / placement.size
                    let v = (cosine * dy - sine * dx) / placement.size
                    if placement.mirrored { u = -u }
                    guard abs(u) <= 0.5, abs(v) <= 0.5 else { continue }
                    sum += sprite.sample(
                        x: placement.source.x + (u + 0.5) * placement.source.side,
                        y: placement.source.y + (v + 0.5) * placement.source.side)
                }
                let alpha = sum.w / 4
                guard alpha > 0 else { continue }
                // Premultiplied colours: a linear map commutes with alpha; clamp to what alpha allows.
                let colour = placement.colour(SIMD3(sum.x, sum.y, sum.z) / 4)
                    .clamped(lowerBound: .zero, upperBound: SIMD3(repeating: alpha))
                let index = row * size + column
                pixels[index] = pixels[index] * (1 - alpha) + colour
                if alpha >= 0.5 { objects[index] = object }
            }
        }
    }

    /// 8-bit RGB. // [size, size, 3]
    func image() -> RGBImage {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size * size * 3)
        for pixel in pixels {
            let scaled = pixel.clamped(lowerBound: .zero, upperBound: .one) * 255 + 0.5
            bytes.append(UInt8(scaled.x))
            bytes.append(UInt8(scaled.y))
            bytes.append(UInt8(scaled.z))
        }
        return RGBImage(width: size, height: size, pixels: bytes)
    }

    private func clamped(_ coordinate: Double) -> Int {
        max(0, min(size, Int(coordinate.rounded(.down))))
    }
}

extension Sprite {
    /// Bilinear sample in [0, 1], pixel centres at half-integers, transparent outside. // RGBA, premultiplied
    func sample(x: Double, y: Double) -> SIMD4<Double> {
        let left = (x - 0.5).rounded(.down)
        let top = (y - 0.5).rounded(.down)
        let fx = x - 0.5 - left
        let fy = y - 0.5 - top
        let (column, row) = (Int(left), Int(top))
        let upper = texel(row, column) * (1 - fx) + texel(row, column + 1) * fx
        let lower = texel(row + 1, column) * (1 - fx) + texel(row + 1, column + 1) * fx
        return (upper * (1 - fy) + lower * fy) / 255
    }

    private func texel(_ row: Int, _ column: Int) -> SIMD4<Double> {
        guard row >= 0, row < Sprite.size, column >= 0, column < Sprite.size else { return .zero }
        return pixels.withUnsafeBufferPointer { pixels in
            let offset = (row * Sprite.size + column) * 4
            return SIMD4(
                Double(pixels[offset]), Double(pixels[offset + 1]), Double(pixels[offset + 2]),
                Double(pixels[offset + 3]))
        }
    }
}

/// A background: one flat colour, mixed with smooth 4×4 noise and a 16×16 texture.
enum SceneBackground {
    /// Colours in [0, 1]. // [size, size]
    static func make(size: Int, random: inout SplitMix64) -> [SIMD3<Double>] {
        let flat = colour(&random)
        let noise = grid(4, size: size, random: &random)
        let texture = grid(16, size: size, random: &random)
        return (0..<size * size).map { 0.6 * flat + 0.28 * noise[$0] + 0.12 * texture[$0] }
    }

    private static func colour(_ random: inout SplitMix64) -> SIMD3<Double> {
        SIMD3(random.uniform(), random.uniform(), random.uniform())
    }

    /// `cells`×`cells` random colours, bilinearly enlarged to the scene's size.
    private static func grid(_ cells: Int, size: Int, random: inout SplitMix64) -> [SIMD3<Double>] {
        let colours = (0..<cells * cells).map { _ in colour(&random) }
        let step = Double(cells - 1) / Double(size - 1)
        return (0..<size * size).map { index in
            let y = Double(index / size) * step
            let x = Double(index % size) * step
            let row = min(Int(y), cells - 2)
            let column = min(Int(x), cells - 2)
            let (fx, fy) = (x - Double(column), y - Double(row))
            let corner = row * cells + column
            let upper = colours[corner] * (1 - fx) + colours[corner + 1] * fx
            let lower = colours[corner + cells] * (1 - fx) + colours[corner + cells + 1] * fx
            return upper * (1 - fy) + lower * fy
        }
    }
}
