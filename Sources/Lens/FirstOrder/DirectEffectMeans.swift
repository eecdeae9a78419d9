import DenseMath

/// Means over a fit set of the direct effects of layers.
public struct DirectEffectMeans: Sendable, Equatable {
    /// // [L, d]
    public let attention: Tensor
    /// // [L, d]
    public let mlps: Tensor

    public init(attention: Tensor, mlps: Tensor) {
        precondition(attention.shape == mlps.shape && attention.shape.count == 2)
        self.attention = attention
        self.mlps = mlps
    }
}

/// Sums of direct effects over one shard of images, from which means are made.
public struct DirectEffectSums: Sendable, Equatable {
    public private(set) var images: Int
    /// [L, d]
    public let shape: [Int]
    /// // [L, d]
    public private(set) var attention: [Double]
    /// // [L, d]
    public private(set) var mlps: [Double]

    public init(layers: Int, embeddingWidth: Int) {
        let zeros = [Double](repeating: 0, count: layers * embeddingWidth)
        self.init(images: 0, shape: [layers, embeddingWidth], attention: zeros, mlps: zeros)
    }

    /// - Precondition: as many numbers as the shape implies.
    public init(images: Int, shape: [Int], attention: [Double], mlps: [Double]) {
        precondition(shape.count == 2 && attention.count == shape[0] * shape[1] && mlps.count == attention.count)
        self.images = images
        self.shape = shape
        self.attention = attention
        self.mlps = mlps
    }

    /// Adds a batch.
    public mutating func add(_ effects: DirectEffects) {
        let count = attention.count
        for image in 0..<effects.batch {
            for i in 0..<count {
                attention[i] += Double(effects.attention[image * count + i])
                mlps[i] += Double(effects.mlps[image * count + i])
            }
        }
        images += effects.batch
    }

    /// Adds another shard.
    public static func += (sums: inout DirectEffectSums, other: DirectEffectSums) {
        precondition(sums.shape == other.shape)
        for i in sums.attention.indices {
            sums.attention[i] += other.attention[i]
            sums.mlps[i] += other.mlps[i]
        }
        sums.images += other.images
    }

    /// Zeros if there were no images.
    public var means: DirectEffectMeans {
        let n = Double(max(images, 1))
        return DirectEffectMeans(
            attention: Tensor(shape: shape, elements: attention.map { Float($0 / n) }),
            mlps: Tensor(shape: shape, elements: mlps.map { Float($0 / n) }))
    }
}
