import DenseMath

/// A size of input that a tower cannot take.
public struct InputSizeError: Error, Equatable, Sendable {
    public var imageSize: Int
    /// A side has to be a multiple of this.
    public var patchSize: Int
    public var largest: Int

    public init(imageSize: Int, patchSize: Int, largest: Int) {
        (self.imageSize, self.patchSize, self.largest) = (imageSize, patchSize, largest)
    }

    /// The multiples of the patch on both sides of the size, as far as a tower takes them.
    public var nearest: [Int] {
        let below = min(imageSize, largest) / patchSize * patchSize
        return [below, below + patchSize].filter { $0 > 0 && $0 <= largest }
    }
}

extension VisionTransformer {
    /// The same tower for images of another size: patches keep their size, and the grid of position embeddings is
    /// resized bilinearly (without smoothing); those of other tokens stay. The receiver is left as it is, so that any
    /// number of sizes can be used by turns. Weights are shared, not copied.
    ///
    /// - Parameter imageSize: height and width of the input in pixels.
    /// - Throws: ``InputSizeError`` where patches do not fill the size.
    public func resized(to imageSize: Int) throws -> VisionTransformer {
        guard imageSize != configuration.imageSize else { return self }
        let patchSize = configuration.patchSize
        guard ArchitectureLimits.imageSize.contains(imageSize), imageSize.isMultiple(of: patchSize) else {
            throw InputSizeError(
                imageSize: imageSize, patchSize: patchSize, largest: ArchitectureLimits.imageSize.upperBound)
        }
        let old = layout
        var tower = self
        tower.configuration.imageSize = imageSize
        let taps = BilinearTap.taps(from: old.side, to: tower.layout.side)
        let grid = positionEmbedding.elements[(old.prefix * width)...]
        var positions = Array(positionEmbedding.elements[..<grid.startIndex])
        positions.reserveCapacity(tower.tokens * width)
        func value(_ row: Int, _ column: Int, _ i: Int) -> Float {
            grid[grid.startIndex + (row * old.side + column) * width + i]
        }
        for y in taps {
            for x in taps {
                for i in 0..<width {
                    positions.append(
                        y.mix(
                            x.mix(value(y.first, x.first, i), value(y.first, x.second, i)),
                            x.mix(value(y.second, x.first, i), value(y.second, x.second, i))))
                }
            }
        }
        tower.positionEmbedding = Tensor(shape: [tower.tokens, width], elements: positions)
        return tower
    }
}
