/// (scale · pixel − mean)/std by channel, as a table of the 256 possible values.
public struct PixelNormalisation: Sendable {
    /// // [3, 256]
    private let table: [Float]

    /// - Precondition: three means and three positive standard deviations.
    public init(scale: Float = 1 / 255, mean: [Float], standardDeviation: [Float]) {
        precondition(mean.count == 3 && standardDeviation.count == 3)
        table = (0..<3 * 256).map { (scale * Float($0 % 256) - mean[$0 / 256]) / standardDeviation[$0 / 256] }
    }

    /// Cuts an image into normalised patches, channel first inside a patch as the convolution's weight is.
    /// - Parameters:
    ///   - image: // [size, size, 3]
    ///   - out: // [patches, 3 · patch · patch]
    package func patches(
        of image: UnsafePointer<UInt8>, imageSize: Int, patchSize: Int, into out: UnsafeMutablePointer<Float>
    ) {
        let side = imageSize / patchSize
        let area = patchSize * patchSize
        table.withUnsafeBufferPointer { table in
            for y in 0..<side * patchSize {
                for x in 0..<side * patchSize {
                    let patch = (y / patchSize) * side + x / patchSize
                    let offset = patch * 3 * area + (y % patchSize) * patchSize + x % patchSize
                    let pixel = image + (y * imageSize + x) * 3
                    for channel in 0..<3 {
                        out[offset + channel * area] = table[channel * 256 + Int(pixel[channel])]
                    }
                }
            }
        }
    }
}
