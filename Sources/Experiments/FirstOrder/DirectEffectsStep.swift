import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// Sums over the fit set of the direct effects of layers, and the moments of those of heads.
struct FittedDirectEffects: Artefact {
    var sums: DirectEffectSums
    var moments: HeadMoments

    /// The sums over no images, to which others are added.
    init(layers L: Int, heads H: Int, headWidth: Int, embeddingWidth: Int) {
        sums = DirectEffectSums(layers: L, embeddingWidth: embeddingWidth)
        moments = HeadMoments(
            images: 0, headCount: L * H, headWidth: headWidth, sums: [Double](repeating: 0, count: L * H * headWidth),
            products: [Double](repeating: 0, count: L * H * headWidth * headWidth))
    }

    init(_ stored: StoredArtefact) throws {
        let (attention, mlps) = (try stored.tensor("attention"), try stored.tensor("mlps"))
        let (values, products) = (try stored.tensor("head-sums"), try stored.tensor("head-products"))
        guard let images = Int(stored.metadata("images") ?? "") else {
            throw PipelineError.invalidArtefact(part: "images", reason: "missing")
        }
        guard attention.shape.count == 2, mlps.shape == attention.shape else {
            throw PipelineError.invalidArtefact(part: "mlps", reason: "shape \(mlps.shape)")
        }
        guard values.shape.count == 2, products.shape == values.shape + values.shape.suffix(1) else {
            throw PipelineError.invalidArtefact(part: "head-products", reason: "shape \(products.shape)")
        }
        sums = DirectEffectSums(
            images: images, shape: attention.shape, attention: try attention.doubles(), mlps: try mlps.doubles())
        moments = HeadMoments(
            images: images, headCount: values.shape[0], headWidth: values.shape[1], sums: try values.doubles(),
            products: try products.doubles())
    }

    func stored() throws -> StoredArtefact {
        let head = [moments.headCount, moments.headWidth]
        return .tensors(
            [
                "attention": try StoredTensor(sums.attention, shape: sums.shape),
                "mlps": try StoredTensor(sums.mlps, shape: sums.shape),
                "head-sums": try StoredTensor(moments.sums, shape: head),
                "head-products": try StoredTensor(moments.products, shape: head + [moments.headWidth]),
            ], metadata: ["images": String(sums.images)])
    }
}

/// Measures ``FittedDirectEffects``.
struct DirectEffectsStep: ImageStep {
    typealias Output = FittedDirectEffects
    static let (kind, version) = ("direct-effects", 1)

    let model: StudyModel
    let images: ImageSource

    var inputs: [AnyStepHandle] { [] }
    var memory: MemoryEstimate? { model.directEffectMemory() }
    var cost: CostEstimate? { model.passCost(towers: 1.3) }
    var none: FittedDirectEffects { FittedDirectEffects(of: model.configuration) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<FittedDirectEffects> {
        let workspace = DirectEffectsWorkspace(
            try model.clip.value().vision, paths: try model.paths.value(), capacity: model.batch)
        return images.batches(workspace) { part, effects, _ in
            part.sums.add(effects)
            part.moments.add(effects)
        }
    }

    func work(
        _ makeWorker: @escaping @Sendable (StepInputs) throws -> (Shard) throws -> FittedDirectEffects
    ) throws -> Work<FittedDirectEffects> {
        try joined(makeWorker) { parts in
            var all = none
            try parts.forEach { _, part in
                all.sums += part.sums
                all.moments += part.moments
            }
            return all
        }
    }
}

extension FittedDirectEffects {
    fileprivate init(of configuration: CLIPConfiguration) {
        let vision = configuration.vision
        self.init(
            layers: vision.layers, heads: vision.heads, headWidth: vision.width / vision.heads,
            embeddingWidth: configuration.embeddingWidth)
    }
}

extension StudyModel {
    /// Memory of a pass that decomposes every layer, in bytes.
    func directEffectMemory() -> MemoryEstimate {
        let vision = configuration.vision
        let (L, H, D, T, d) = (vision.layers, vision.heads, vision.width, vision.tokens, configuration.embeddingWidth)
        var estimate = memory(layers: [])
        let captures = L * batch * T * (2 * D + H + 2)
        let effects = batch * (L * (H * d + 2 * d + D) + 3 * d + (H + 1) * D)
        // The representations of every condition, once as they accumulate and once by condition.
        let ablated = 8 * batch * L * d
        let moments = L * D * (D / H + 1) + 2 * L * d
        // A part stands in the accumulator, in the result and in the bytes of its artefact.
        estimate.perWorker += 4 * (captures + effects + ablated) + 8 * (3 * moments + batch * L * D)
        estimate.shared += 8 * 3 * moments
        return estimate
    }
}
