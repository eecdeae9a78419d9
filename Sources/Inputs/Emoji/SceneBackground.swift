import Foundations

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
