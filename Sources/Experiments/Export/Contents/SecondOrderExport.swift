import CLIPModel
import DenseMath
import Lens
import Pipeline

/// `runner export second-order`: effects of chosen neurons of a layer, and what they are made of.
public struct SecondOrderExport: PictureExport {
    /// Images with the largest effects of a neuron, to which the paper fits its direction.
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

    func settings(_ configuration: CLIPConfiguration, images: Int) -> ExportDocument.Settings {
        let vision = configuration.vision
        return ExportDocument.Settings(
            layer: layer, neurons: neurons.indices(),
            heads: (layer + 1..<vision.layers).flatMap { layer in (0..<vision.heads).map { [layer, $0] } },
            significantImages: includesFit ? min(significantImages, images) : nil)
    }

    func tensors(_ configuration: CLIPConfiguration, images: Int) throws -> [ExportTensor] {
        guard !includesFit || images > 1 else { throw ExportError.tooFewPictures(found: images, needed: 2) }
        let vision = configuration.vision
        let neurons = ExportTensor.Axis("neurons", try chosen().count)
        let heads = ExportTensor.Axis("heads", (vision.layers - 1 - layer) * vision.heads)
        let (images, d) = (ExportTensor.Axis("images", images), ExportTensor.Axis("d", configuration.embeddingWidth))
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

    func plan(_ model: StudyModel, _ images: ImageSource, in graph: inout Graph) throws -> ExportWriter {
        let neurons = try chosen()
        let coordinates = try graph.add(
            HeadCoordinatesStep(model: model, layer: layer, neurons: neurons, images: images))
        let count = min(significantImages, images.count)
        let fitted =
            includesFit ? try Study.Fitted(model, layers: [layer], images: images, count: count, in: &graph) : nil
        return { [layer, set = images.name] result, file in
            var fit: (means: EffectMeans, directions: LayerDirections)?
            if let fitted {
                fit = (
                    try result.artefact(fitted.means).layer(layer).means,
                    try result.artefact(fitted.directions).layer(layer)
                )
            }
            var batches: [(HeadCoordinates, Range<Int>)] = []
            try result.artefact(coordinates).forEach { batches.append(($0, $1)) }
            try SecondOrderWriter(
                lens: model.lens(layer), neurons: neurons, batches: batches, imageID: set.imageID, fit: fit, file: file
            ).write()
        }
    }
}

/// Fills the tensors of a second-order export: a chunk of neurons after the other, whose image-independent half is made
/// once and stays in memory while the images' coordinates pass by in their files.
private struct SecondOrderWriter {
    let lens: SecondOrderLens
    let neurons: [Int]
    /// The batches, opened once: each holds its coordinates in a file, of which some neurons are read at a time.
    let batches: [(part: HeadCoordinates, images: Range<Int>)]
    /// Name of an image, for errors.
    let imageID: @Sendable (Int) -> String
    /// Means and directions of all neurons of the layer; nil where nothing is fitted.
    let fit: (means: EffectMeans, directions: LayerDirections)?
    let file: ExportFile

    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `PipelineError`, `SafetensorsError`, `OutputError`.
    func write() throws {
        for (part, images) in batches {
            try file.write("representations", part.representations.elements, from: images.lowerBound)
            try file.write("bias-shares", part.biasShares.elements, from: images.lowerBound)
        }
        if let directions = fit?.directions {
            let d = lens.embeddingWidth
            let rows = directions.directions.directions.elements
            try file.write("principal-directions", neurons.flatMap { rows[$0 * d..<($0 + 1) * d] })
            try file.write("second-moment-shares", neurons.map { directions.directions.shares[$0] })
            try file.write("thresholds", neurons.map { directions.thresholds[$0] })
        }
        // The directions of a chunk take at most 16 MiB.
        let chunk = max(1, min(64, (16 << 20) / (lens.headCount * lens.embeddingWidth * 4)))
        for start in stride(from: 0, to: neurons.count, by: chunk) {
            try write(start..<min(start + chunk, neurons.count))
        }
    }

    /// Writes M, s, φ, φ̄ and ‖φ − φ̄‖ of some of the neurons, by their places.
    private func write(_ places: Range<Int>) throws {
        let (J, K, d) = (places.count, lens.headCount, lens.embeddingWidth)
        let M = lens.headDirections(neurons[places])
        try file.write("head-directions", M.elements, from: places.lowerBound)
        // Without means nothing is subtracted.
        var (means, meanShare) = (Tensor(zeros: [J, K]), [Float](repeating: 0, count: d))
        if let fitted = fit?.means {
            means = Tensor(shape: [J, K], elements: neurons[places].flatMap { fitted.coordinates[row: $0] })
            meanShare = fitted.biasShare
        }
        let meanEffects = effects(means.elements, shares: meanShare, M, images: 1)
        if fit != nil { try file.write("mean-effects", meanEffects, from: places.lowerBound) }

        for (part, images) in batches {
            let s = try part.coordinates(of: places)
            for (place, image) in images.enumerated() {
                let row = Self.row(place, of: s, images: images.count, width: K)
                try file.write("head-coordinates", row, count: J * K, row: image, column: places.lowerBound * K)
            }
            guard fit != nil || file.has("effects") else { continue }
            var (centred, shares) = (s, part.biasShares.elements)
            for i in centred.indices { centred[i] -= means.elements[i / (images.count * K) * K + i % K] }
            for i in shares.indices { shares[i] -= meanShare[i % d] }
            let deviations = effects(centred, shares: shares, M, images: images.count)
            for (place, image) in images.enumerated() {
                let own = Self.row(place, of: deviations, images: images.count, width: d)
                guard own.allSatisfy(\.isFinite) else {
                    throw ExperimentError.notFinite(image: imageID(image), place: "second-order effect")
                }
                if fit != nil {
                    let norms = (0..<J).map { Self.length(own[$0 * d..<($0 + 1) * d]) }
                    try file.write("norms", norms, count: J, row: image, column: places.lowerBound)
                }
                if file.has("effects") {
                    let total = zip(own, meanEffects).map { $0 + $1 }
                    try file.write("effects", total, count: J * d, row: image, column: places.lowerBound * d)
                }
            }
        }
    }

    /// One image's part of numbers of all images. // [neurons, images, width] → [neurons, width]
    private static func row(_ image: Int, of numbers: [Float], images: Int, width: Int) -> [Float] {
        stride(from: image * width, to: numbers.count, by: images * width).flatMap { numbers[$0..<$0 + width] }
    }

    private static func length(_ vector: ArraySlice<Float>) -> Float {
        var squares: Float = 0
        for x in vector { squares += x * x }
        return squares.squareRoot()
    }

    /// Σ_k s_{n,k} M_{n,k} + b. // [neurons, images, d]
    /// - Parameters:
    ///   - coordinates: s. // [neurons, images, K]
    ///   - shares: b. // [images, d]
    private func effects(_ coordinates: [Float], shares: [Float], _ M: Tensor, images: Int) -> [Float] {
        let (J, K, d) = (M.shape[0], M.shape[1], M.shape[2])
        var effects = Array(repeating: shares, count: J).flatMap { $0 }
        for n in 0..<J {
            coordinates.withUnsafeBufferPointer { coordinates in
                M.elements.withUnsafeBufferPointer { M in
                    effects.withUnsafeMutableBufferPointer { effects in
                        guard let s = coordinates.baseAddress, let M = M.baseAddress, let out = effects.baseAddress
                        else {
                            return
                        }
                        BLAS.multiply(
                            images, d, K, s + n * images * K, stride: K, M + n * K * d, stride: d, beta: 1,
                            into: out + n * images * d, stride: d)
                    }
                }
            }
        }
        return effects
    }
}
