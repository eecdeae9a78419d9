import Pipeline

extension ModelUnderStudy {
    /// Memory of a pass over images that captures some layers, in bytes. It does not grow with the images: their
    /// pixels stay in files.
    /// - Parameter kept: effects that a shard keeps for every neuron, 0 for none.
    func memory(layers: [Int], kept: Int = 0) -> MemoryEstimate {
        let vision = configuration.vision
        let (D, N, H, T) = (vision.width, vision.mlpWidth, vision.heads, vision.tokens)
        let (d, headWidth) = (configuration.embeddingWidth, D / H)
        let readers = layers.map { (vision.layers - 1 - $0) * H }  // K by layer
        // Columns of the output matrix, factors, means, directions and what they read.
        let lens = readers.reduce(0) { $0 + N * (D + $1 * ($1 + 3) / 2 + 2 * $1 + d + T) }

        let rows = batch * T
        let scratch = rows * (7 * D + N) + T * T
        let captures = layers.count * rows * (N + 3 * D)
        // δs of all neurons, mixed values, and the sums or representations of each layer.
        let perLayer = readers.reduce(0) { $0 + 2 * N * batch * $1 + 2 * batch * $1 * (D + headWidth) + N * (T + $1) }
        let effects = readers.reduce(0) { $0 + N * kept * ($1 + 2) }
        return MemoryEstimate(
            shared: Self.processBytes + 4 * (weightCount + lens + pathCount),
            // A shard's effects stand in the collector, in the result and in the bytes of its artefact.
            perWorker: 4 * (scratch + captures + perLayer + 4 * effects))
    }

    /// Memory of fitting directions to the largest effects, a layer a worker, in bytes.
    /// - Parameter kept: effects of each neuron.
    func memoryOfDirections(layers: [Int], kept: Int) -> MemoryEstimate {
        let vision = configuration.vision
        let readers = layers.map { (vision.layers - 1 - $0) * vision.heads }.max() ?? 0
        let outputs = layers.count * vision.mlpWidth * (vision.width + configuration.embeddingWidth)
        return MemoryEstimate(
            shared: Self.processBytes + 4 * (weightCount + pathCount + outputs),
            // A layer's effects as they come from the shards, and those that are chosen.
            perWorker: 4 * 5 * vision.mlpWidth * kept * readers / 2)
    }

    /// Numbers of both towers.
    private var weightCount: Int {
        let (vision, text) = (configuration.vision, configuration.text)
        return vision.layers * (4 * vision.width * vision.width + 2 * vision.width * vision.mlpWidth)
            + text.layers * (4 * text.width * text.width + 2 * text.width * text.mlpWidth) + text.vocabularySize * text.width
    }

    /// Numbers of the value/output paths.
    private var pathCount: Int {
        configuration.vision.layers * configuration.vision.width * (configuration.vision.width + configuration.embeddingWidth)
    }

    /// What the program takes beside its steps, the rows of a few thousand images included; measured.
    private static let processBytes = 160 << 20
}
