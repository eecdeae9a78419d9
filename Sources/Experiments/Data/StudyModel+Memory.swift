import CLIPModel
import DenseMath
import Pipeline

extension StudyModel {
    /// What passes over images hold beside captures.
    struct PassContents: OptionSet {
        let rawValue: Int
        /// Head coordinates and the factors that their norms take.
        static let effects = PassContents(rawValue: 1)
        /// Sums over the images of a shard.
        static let sums = PassContents(rawValue: 2)
        /// The rest of the network runs again.
        static let resumed = PassContents(rawValue: 4)
    }

    /// Memory of a pass over images that captures some layers, in bytes. It does not grow with the images: their
    /// pixels stay in files.
    /// - Parameters:
    ///   - kept: effects that a shard keeps for every neuron, 0 for none.
    ///   - batch: nil for the model's own.
    func memory(layers: [Int], _ contents: PassContents = .effects, kept: Int = 0, batch: Int? = nil) -> MemoryEstimate
    {
        let batch = batch ?? self.batch
        let vision = configuration.vision
        let (D, N, T) = (vision.width, vision.mlpWidth, vision.tokens)
        let (d, headWidth) = (configuration.embeddingWidth, D / vision.heads)
        let readers = layers.map { (vision.layers - 1 - $0) * vision.heads }  // K by layer
        let reached = readers.max() ?? 0
        // Columns of the output matrix; factors, means, what directions read, directions.
        let lenses = readers.count * N * D
        let factored = readers.reduce(0) { $0 + N * (PackedTriangle.count($1) + 2 * $1 + d + T) }

        let rows = batch * T
        let workspace = rows * (7 * D + N) + T * T
        let captures = layers.count * rows * (N + 2 * D)
        let paths = batch * reached * D
        // δs of one layer's neurons, and what three sets of neurons bring to heads: layers take turns.
        let coordinates = N * batch * reached + batch * reached * (3 * D + headWidth)
        // Sums stand in their buffers, in the result, in its tensors and in the bytes of its artefact.
        let sums = 4 * readers.reduce(0) { $0 + N * (T + $1) }
        let effects = readers.reduce(0) { $0 + N * kept * ($1 + 2) }
        return MemoryEstimate(
            shared: Self.processBytes
                + packedBytes + 4 * (weightCount + pathCount + lenses + (contents.contains(.effects) ? factored : 0)),
            perWorker: 4
                * (workspace * (contents.contains(.resumed) ? 2 : 1) + captures + paths
                    + (contents.contains(.effects) ? coordinates : 0) + (contents.contains(.sums) ? sums : 0)
                    // A shard's effects stand in the result's tensors and in the bytes of its artefact.
                    + 2 * effects))
    }

    /// Memory of fitting directions to the largest effects, a layer a worker, in bytes.
    /// - Parameter kept: effects of each neuron.
    func memoryOfDirections(layers: [Int], kept: Int) -> MemoryEstimate {
        let vision = configuration.vision
        let (N, D, d) = (vision.mlpWidth, vision.width, configuration.embeddingWidth)
        let readers = layers.map { (vision.layers - 1 - $0) * vision.heads }
        // As many effects reach their floor as make the largest, and some more.
        let stored = readers.reduce(0) { $0 + N * (3 * kept / 2) * ($1 + 2) }
        return MemoryEstimate(
            // The effects of all layers stay in their mapped files, whose pages count once they were read.
            shared: Self.processBytes + 4 * (weightCount + pathCount + stored + layers.count * N * d),
            // A layer's effects as they come from the shards, and those that are chosen.
            perWorker: 4 * (N * (5 * kept / 2) * (readers.max() ?? 0) + N * (D + d)))
    }

    /// Vectors of all neurons of some layers, their readings by the heads, and a batch's effects along them, in bytes.
    func memoryOfReadings(layers: [Int]) -> Int {
        let vision = configuration.vision
        return layers.reduce(0) {
            $0 + 4 * vision.mlpWidth * (configuration.embeddingWidth + (vision.layers - 1 - $1) * vision.heads + batch)
        }
    }

    /// Numbers of both towers.
    private var weightCount: Int {
        let (vision, text) = (configuration.vision, configuration.text)
        return vision.layers * (4 * vision.width * vision.width + 2 * vision.width * vision.mlpWidth)
            + text.layers * (4 * text.width * text.width + 2 * text.width * text.mlpWidth) + text.vocabularySize
            * text.width
    }

    /// The image tower's weights and the paths once more, as the library of linear layers wants them.
    private var packedBytes: Int {
        guard LinearLibrary.current != .openBLAS || precision == .bf16 else { return 0 }
        let vision = configuration.vision
        let patch = VisionConfiguration.channels * vision.patchSize * vision.patchSize
        let count =
            vision.layers * (4 * vision.width * vision.width + 2 * vision.width * vision.mlpWidth) + vision.width
            * patch
        let paths = LinearLibrary.current == .openBLAS ? 0 : 4 * pathCount
        return count * (LinearLibrary.current != .openBLAS && precision == .bf16 ? 2 : 4) + paths
    }

    /// Numbers of the value/output paths.
    private var pathCount: Int {
        configuration.vision.layers * configuration.vision.width
            * (configuration.vision.width + configuration.embeddingWidth)
    }

    /// What the program takes beside its steps, the rows of a few thousand images included; measured.
    private static let processBytes = 140 << 20
}

extension MemoryEstimate {
    /// With what a worker's part of the result takes: it stands in the table, in the tensors of its artefact and in the
    /// bytes of its file.
    func adding(parts bytes: Int) -> MemoryEstimate {
        MemoryEstimate(shared: shared, perWorker: perWorker + 3 * bytes)
    }
}

extension VisionConfiguration {
    /// Images that run together. A function of the model alone, because the order of additions in a
    /// product may depend on it: the largest power of two up to 32 whose captures take 1¼ GiB.
    var batch: Int {
        let perImage = tokens * (mlpWidth + 2 * width) * layers * 4
        var batch = 32
        while batch > 1 && batch * perImage > 1280 << 20 { batch /= 2 }
        return batch
    }
}
