import CLIPModel
import Pipeline

extension StudyModel {
    /// Memory of second paths for one image of a size after the other.
    /// - Parameters:
    ///   - records: attribution methods keep everything of a pass.
    ///   - pictures: of the size of the input that stand in memory, in what is drawn and in the table of them.
    func surgeryMemory(inputSize: Int, records: Bool = false, pictures: Int = 0) -> MemoryEstimate {
        var vision = configuration.vision
        vision.imageSize = inputSize
        let (T, D, N, L, H) = (vision.tokens, vision.width, vision.mlpWidth, vision.layers, vision.heads)
        // Residual streams, projections of the last blocks, attention; of a record every layer's, twice for gradients.
        let paths = T * (8 * D + N + L * 4 * D) + 2 * T * T
        let record = records ? 2 * L * (3 * H * T * T + T * (8 * D + 2 * N)) : 0
        return MemoryEstimate(
            shared: memory(layers: [], []).shared + 2 * pictures * 3 * max(inputSize, 128) * max(inputSize, 128),
            perWorker: 4 * (paths + record))
    }

    /// Time of second paths beside the tower, a rough figure which finished steps of the kind correct.
    func surgeryCost(inputSize: Int, paths: Double, attributions: Int = 0) -> CostEstimate {
        var vision = configuration.vision
        vision.imageSize = inputSize
        let work = TransformerWork(vision, batch: 1)
        let forward = Double(vision.layers) * work.operations
        return CostEstimate(work, perUnit: forward * (1 + 0.2 * paths + (attributions > 0 ? 20 : 0)))
    }
}
