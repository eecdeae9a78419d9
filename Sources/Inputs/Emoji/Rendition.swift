/// Ways to draw a sprite unlike the font does: the shift of the split `val-r`.
package enum Rendition: CaseIterable {
    case outline, greyscale, posterised, blurred

    package func callAsFunction(_ sprite: Sprite) -> Sprite {
        switch self {
        case .outline: outline(sprite)
        case .greyscale: perPixel(sprite) { rgb, _ in SIMD3(repeating: luma(rgb)) }
        case .posterised:
            perPixel(sprite) { rgb, alpha in (rgb / max(alpha, 1) * 2 + 0.5).rounded(.down) / 2 * alpha }
        case .blurred: blur(blur(sprite))
        }
    }

    private func luma(_ rgb: SIMD3<Double>) -> Double { rgb.dot([0.299, 0.587, 0.114]) }

    /// Maps each premultiplied colour (0…255), keeping alpha.
    private func perPixel(_ sprite: Sprite, _ map: (SIMD3<Double>, Double) -> SIMD3<Double>) -> Sprite {
        var pixels = sprite.pixels
        for offset in stride(from: 0, to: pixels.count, by: 4) {
            let alpha = Double(pixels[offset + 3])
            let rgb = map(
                SIMD3(Double(pixels[offset]), Double(pixels[offset + 1]), Double(pixels[offset + 2])), alpha)
            for c in 0..<3 { pixels[offset + c] = UInt8(min(max(rgb[c] + 0.5, 0), alpha)) }
        }
        return Sprite(pixels: pixels)
    }

    /// Dark lines where brightness or opacity changes, on white.
    private func outline(_ sprite: Sprite) -> Sprite {
        let n = Sprite.size
        /// Brightness over a white ground, so that the silhouette is an edge too.
        func brightness(_ row: Int, _ column: Int) -> Double {
            guard row >= 0, row < n, column >= 0, column < n else { return 255 }
            let o = (row * n + column) * 4
            let p = sprite.pixels
            return luma([Double(p[o]), Double(p[o + 1]), Double(p[o + 2])]) + 255 - Double(p[o + 3])
        }
        var pixels = sprite.pixels
        for row in 0..<n {
            for column in 0..<n {
                let dx = brightness(row, column + 1) - brightness(row, column - 1)
                let dy = brightness(row + 1, column) - brightness(row - 1, column)
                let line = min(1, (abs(dx) + abs(dy)) / 96)
                let offset = (row * n + column) * 4
                let alpha = Double(pixels[offset + 3])
                for c in 0..<3 { pixels[offset + c] = UInt8((1 - line) * alpha + 0.5) }
            }
        }
        return Sprite(pixels: pixels)
    }

    /// 5×5 box over premultiplied colours and alpha; transparent outside.
    private func blur(_ sprite: Sprite) -> Sprite {
        let n = Sprite.size
        var pixels = sprite.pixels
        for row in 0..<n {
            for column in 0..<n {
                var sum = SIMD4<Int>.zero
                for r in max(0, row - 2)...min(n - 1, row + 2) {
                    for k in max(0, column - 2)...min(n - 1, column + 2) {
                        for c in 0..<4 { sum[c] += Int(sprite.pixels[(r * n + k) * 4 + c]) }
                    }
                }
                for c in 0..<4 { pixels[(row * n + column) * 4 + c] = UInt8((sum[c] + 12) / 25) }
            }
        }
        return Sprite(pixels: pixels)
    }
}
