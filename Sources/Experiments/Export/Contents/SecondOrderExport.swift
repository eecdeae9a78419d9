import CLIPModel
import DenseMath
import Lens

/// `runner export second-order`: effects of chosen neurons of a layer, and what they are made of.
public struct SecondOrderExport: PictureExporter {
    /// Of the paper: images with the largest effects that a direction is fitted to.
    public static let significantImages = 100

    /// From 0.
    public var layer: Int
    public var neurons: IndexSelection
    /// Whether φ itself is written, by far the largest tensor; it follows from the others.
    public var includesEffects: Bool
    /// Whether means, norms and principal directions are fitted to the pictures.
    public var includesFit: Bool
    public var significantImages: Int

    public init(
        layer: Int, neurons: IndexSelection, includesEffects: Bool = true, includesFit: Bool = true,
        significantImages: Int = significantImages
    ) {
        (self.layer, self.neurons, self.includesEffects, self.includesFit) = (
            layer, neurons, includesEffects, includesFit
        )
        self.significantImages = significantImages
    }

    let name = "second-order"

    func check(_ configuration: CLIPConfiguration) throws {
        let vision = configuration.vision
        guard (0..<vision.layers - 1).contains(layer) else {
            throw ExportError.noSecondOrderEffects(layer: layer, layers: vision.layers)
        }
        guard neurons.largest < vision.mlpWidth else {
            throw ExportError.neuronOutOfRange(neuron: neurons.largest, neurons: vision.mlpWidth)
        }
        _ = try chosen()
    }

    private func chosen() throws -> [Int] {
        guard let indices = neurons.indices() else { throw ExportError.repeatedIndex(selection: neurons.text) }
        return indices
    }

    func settings(_ clip: CLIP, images: Int) -> ExportDocument.Settings {
        let vision = clip.configuration.vision
        return ExportDocument.Settings(
            layer: layer, neurons: neurons.indices(),
            heads: (layer + 1..<vision.layers).flatMap { layer in (0..<vision.heads).map { [layer, $0] } },
            significantImages: includesFit ? min(significantImages, images) : nil)
    }

    func tensors(_ clip: CLIP, images: Int) throws -> [ExportTensor] {
        guard !includesFit || images > 1 else { throw ExportError.tooFewPictures(found: images, needed: 2) }
        let vision = clip.configuration.vision
        let neurons = ExportTensor.Axis("neurons", try chosen().count)
        let heads = ExportTensor.Axis("heads", (vision.layers - 1 - layer) * vision.heads)
        let (images, d) = (ExportTensor.Axis("images", images), ExportTensor.Axis("d", clip.vision.embeddingWidth))
        let joint = "of the joint space, images scaled to length 100"
        var tensors = [
            ExportTensor(
                "head-coordinates", [images, neurons, heads], unit: "1/length of a token of the residual stream",
                meaning: "how much of each neuron each later head takes to the class token, means not subtracted",
                equation: "s_{n,k} = c/σ* Σ_i a_i^k p_i^n / σ_i"),
            ExportTensor(
                "head-directions", [neurons, heads, d], unit: "of the joint space, for a head coordinate of 1",
                meaning: "where each head takes what the neuron writes; the same for all images",
                equation: "M_{n,k} = Pᵀ(γ* ∘ W_O^k W_V^k (γ ∘ w^n))"),
            ExportTensor(
                "bias-shares", [images, d], unit: joint,
                meaning: "each neuron's equal share of biases and means",
                equation: "b(I): the constant of arXiv 2406.04341, equation (1)"),
            ExportTensor(
                "representations", [images, d], unit: joint, meaning: "embeddings of the images",
                equation: "c·r(I), c = 100/‖r(I)‖"),
        ]
        if includesEffects {
            tensors.append(
                ExportTensor(
                    "effects", [images, neurons, d], unit: joint, meaning: "second-order effects, means not subtracted",
                    equation: "φ_n = Σ_k s_{n,k} M_{n,k} + b: arXiv 2406.04341, equation (1)"))
        }
        if includesFit {
            tensors += [
                ExportTensor(
                    "mean-effects", [neurons, d], unit: joint, meaning: "mean of the effects over these images",
                    equation: "φ̄_n"),
                ExportTensor(
                    "norms", [images, neurons], unit: joint, meaning: "lengths of the centred effects",
                    equation: "‖φ_n − φ̄_n‖"),
                ExportTensor(
                    "thresholds", [neurons], unit: joint,
                    meaning: "smallest norm among the images that the neuron's direction is fitted to", equation: "t_n"),
                ExportTensor(
                    "principal-directions", [neurons, d],
                    unit: "none: rows of length 1, zeros for a neuron without any effect",
                    meaning:
                        "first right singular vector of the centred effects of those images, most of which project positively "
                        + "(the sign means nothing where exactly half do)",
                    equation: "r_n"),
                ExportTensor(
                    "second-moment-shares", [neurons], unit: "share, 0 to 1",
                    meaning: "what of the squared lengths of those centred effects lies along the direction"),
            ]
        }
        return tensors
    }

    func compute(_ clip: CLIP, _ pictures: PreparedPictures, into file: ExportFile, _ work: ExportWork) throws {
        let lens = try SecondOrderLens(layer: layer, paths: ValueOutputPaths(clip.vision), vision: clip.vision)
        let stored = StoredCoordinates(
            lens: lens, neurons: try chosen(), coordinates: file.rows("head-coordinates"),
            biasShares: file.rows("bias-shares"))
        try StoredCoordinates.fill([stored], representations: file.rows("representations"), clip, pictures, work)
        let fit =
            includesFit
            ? EffectTensors.Fit(
                means: file.rows("mean-effects"), norms: file.rows("norms"),
                principalDirections: file.rows("principal-directions"),
                secondMomentShares: file.rows("second-moment-shares"),
                thresholds: file.rows("thresholds"), significantImages: min(significantImages, pictures.count)) : nil
        let tensors = EffectTensors(
            effects: includesEffects ? file.rows("effects") : nil, headDirections: file.rows("head-directions"),
            fit: fit)
        try EffectChunks(stored: stored, tensors: tensors, pictures: pictures).fill(work)
    }
}
