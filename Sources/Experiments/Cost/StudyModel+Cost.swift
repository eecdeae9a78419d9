import CLIPModel
import Pipeline

extension StudyModel {
    /// Operations of the image tower and of the lens.
    var operations: LensOperations {
        LensOperations(configuration.vision, embeddingWidth: configuration.embeddingWidth)
    }

    /// Operations that are done at the speed of the image tower's blocks.
    func imageCost(fixed: Double = 0, perUnit: Double) -> CostEstimate {
        CostEstimate(TransformerWork(configuration.vision, batch: batch), fixed: fixed, perUnit: perUnit)
    }

    /// A pass over images that does something for some layers.
    /// - Parameters:
    ///   - layers: whose neurons are looked at.
    ///   - fixed: for a layer, before the first image.
    ///   - perImage: for a layer of an image.
    func passCost(
        layers: [Int], fixed: (LensOperations, Int) -> Double = { _, _ in 0 }, perImage: (LensOperations, Int) -> Double
    ) -> CostEstimate {
        let operations = operations
        return imageCost(
            fixed: layers.reduce(0) { $0 + fixed(operations, $1) },
            perUnit: layers.reduce(operations.forward) { $0 + perImage(operations, $1) })
    }

    /// A pass over images of which nobody counts what follows the tower, in passes of the tower: a rough
    /// figure, which finished steps of the kind correct.
    func passCost(towers: Double) -> CostEstimate { imageCost(perUnit: towers * operations.forward) }

    /// Texts through the text tower, in one piece.
    func textCost(texts: Int) -> CostEstimate {
        let text = configuration.text
        // Names and captions are short, and those of one length run together.
        let work = TransformerWork(
            width: text.width, heads: text.heads, neurons: text.mlpWidth,
            tokens: min(text.contextLength, Self.tokensOfTexts),
            batch: 64, activation: textActivation)
        return CostEstimate(
            work, perUnit: Double(texts) * (Double(text.layers - 1) * work.operations + work.lastBlockOperations))
    }

    private static let tokensOfTexts = 17
}
