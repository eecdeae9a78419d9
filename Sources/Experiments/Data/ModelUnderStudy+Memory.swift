import Pipeline

extension ModelUnderStudy {
    /// Memory of a pass over images that captures some layers, in bytes.
    /// - Parameters:
    ///   - images: images of the set, all of which are in memory as bytes.
    ///   - kept: images whose effects are kept for every neuron, 0 for none.
    func memory(layers: [Int], images: Int, kept: Int = 0) -> MemoryEstimate {
        let vision = configuration.vision
        let (D, N, H, T) = (vision.width, vision.mlpWidth, vision.heads, vision.tokens)
        let (d, headWidth) = (configuration.embeddingWidth, D / H)
        let readers = layers.map { (vision.layers - 1 - $0) * H }  // K by layer
        let text = configuration.text
        let weights = vision.layers * (4 * D * D + 2 * D * N)
            + text.layers * (4 * text.width * text.width + 2 * text.width * text.mlpWidth) + text.vocabularySize * text.width
        let paths = vision.layers * H * headWidth * (D + d)
        let lens = readers.reduce(0) { $0 + N * $1 * (headWidth + $1) + $1 * headWidth * (D + d) }

        let rows = batch * T
        let scratch = rows * (7 * D + N) + T * T
        let captures = layers.count * rows * (N + 3 * D)
        // δs of all neurons, mixed values, and the sums or representations of each layer.
        let perLayer = readers.reduce(0) { $0 + 2 * N * batch * $1 + batch * $1 * (D + 2 * headWidth) + N * (T + $1) }
        let effects = readers.reduce(0) { $0 + N * kept * ($1 + 2) }
        return MemoryEstimate(
            // The reduction holds what is merged, what joins it, and the bytes on their way to the disk.
            shared: Self.processBytes + images * vision.imageSize * vision.imageSize * 4 + 4 * (weights + lens + paths + 4 * effects),
            // A shard's effects stand in the accumulator, in the result and in the bytes of its artefact.
            perWorker: 4 * (scratch + captures + perLayer + 3 * effects))
    }

    /// What the program takes beside its steps, the rows of a few thousand images included; measured.
    private static let processBytes = 160 << 20
}
