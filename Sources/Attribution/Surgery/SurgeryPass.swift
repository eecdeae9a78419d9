import CLIPModel
import DenseMath

/// One forward pass of the image tower and any number of second paths through its last blocks. Holds until its workspace runs
/// again.
public struct SurgeryPass {
    let tower: VisionPass
    private let workspace: SurgeryWorkspace

    fileprivate init(_ tower: VisionPass, _ workspace: SurgeryWorkspace) {
        (self.tower, self.workspace) = (tower, workspace)
    }

    public var vision: VisionTransformer { workspace.vision }
    private var scratch: BlockScratch { workspace.tower.block }

    /// r(I), which no recipe changes; not normalised. // [batch, d]
    public var representations: UnsafePointer<Float> { tower.embeddings }

    /// All tokens as a recipe reads them, through ln_post and P; not normalised. The memory is used again by the next call.
    /// - Precondition: the recipe is one of ``SurgeryWorkspace/recipes``.
    /// - Returns: // [batch, T, d]
    public func embed(_ recipe: SurgeryRecipe) -> UnsafePointer<Float> {
        let (batch, tokens, width) = (tower.batch, vision.tokens, vision.width)
        let residual = followPath(recipe)
        for image in 0..<batch {
            let row = vision.layout.classRow(of: image) * width
            (residual + row).update(from: tower.output + row, count: width)
        }
        vision.readout(
            residual, rows: batch * tokens, normalised: scratch.normalised.base, mean: scratch.mean.base,
            sigma: scratch.sigma.base, into: workspace.tokens.base)
        return UnsafePointer(workspace.tokens.base)
    }

    /// The second path before the class token is put in. // [batch · T, D]
    func followPath(_ recipe: SurgeryRecipe) -> UnsafeMutablePointer<Float> {
        precondition(workspace.recipes.contains(recipe), "tokens by '\(recipe.name)' were asked for but not declared")
        let (layers, rows, width) = (vision.blocks.count, tower.batch * vision.tokens, vision.width)
        let path = workspace.path.base
        let first = layers - recipe.depth
        guard recipe.depth > 0 else {
            path.update(from: tower.capture(layers - 1)[.output], count: rows * width)
            return path
        }
        if recipe.keepsResidual {
            path.update(from: tower.capture(first)[.attentionInput], count: rows * width)
        } else {
            path.update(repeating: 0, count: rows * width)
        }
        for layer in first..<layers {
            addAttention(recipe.attention, layer: layer, to: path)
            if recipe.keepsMLP { vision.blocks[layer].addMLP(to: path, rows: rows, scratch: scratch) }
        }
        return path
    }

    /// path ← path + Proj(mixture of the layer's values)
    func addAttention(_ attention: SurgeryRecipe.Attention, layer: Int, to path: UnsafeMutablePointer<Float>) {
        guard let mixer = workspace.attentions[attention] else {
            preconditionFailure("an attention that no recipe has")
        }
        let (block, tokens, width) = (vision.blocks[layer], vision.tokens, vision.width)
        let rows = tower.batch * tokens
        let capture = tower.capture(layer)
        for image in 0..<tower.batch {
            let length =
                if case .selfSelf = attention {
                    meanLength(capture[.attentionNormalised] + image * tokens * width)
                } else { Float(1) }
            mixer.mix(
                capture[.queryKeyValue] + image * tokens * 3 * width, inputLength: length, scores: scratch.scores.base,
                into: scratch.mixed.base + image * tokens * width)
        }
        block.attentionOutput(scratch.mixed.base, rows: rows, accumulating: true, into: path)
    }

    /// The mean length of one image's tokens. // [T, D]
    private func meanLength(_ x: UnsafePointer<Float>) -> Float {
        let (tokens, width) = (vision.tokens, vision.width)
        let lengths = (0..<tokens).map { token in
            let row = x + token * width
            return Double(BLAS.dot(row, row, count: width)).squareRoot()
        }
        return Float(lengths.reduce(0, +) / Double(tokens))
    }
}

extension SurgeryPass {
    /// Of the attention that an object's patches pay to other patches, the share that stays on the object: the mean over its
    /// patches, heads and the last blocks. CLIP Surgery (arXiv 2304.05653, section 3) calls the mean over images mFSR; a patch
    /// that attends to all others alike has the object's share of them. What a patch pays to itself is left out: values are
    /// always most like themselves, whatever they are of.
    /// - Parameters:
    ///   - patches: whether each patch shows the object. // [patches]
    ///   - attention: one that compares one part with one.
    ///   - depth: last blocks, of which a recipe with that depth keeps queries, keys and values.
    /// - Returns: 0…1; nil where fewer than two patches show the object.
    /// - Precondition: a batch of one, and such an attention.
    public func attentionWithin(_ patches: [Bool], _ attention: SurgeryRecipe.Attention, depth: Int) -> Double? {
        let layout = vision.layout
        precondition(patches.count == layout.patches, "\(patches.count) patches of \(layout.patches)")
        guard let (a, b) = attention.compared.first, attention.compared.count == 1 else {
            preconditionFailure("an attention of one comparison")
        }
        let shown = zip(layout.patchRows, patches).filter(\.1).map(\.0)
        guard shown.count > 1 else { return nil }
        let (mixer, scores) = (PatchAttention(attention, vision.configuration), scratch.scores.base)
        var (sum, count) = (0.0, 0)
        for layer in vision.blocks.count - depth..<vision.blocks.count {
            for head in 0..<vision.configuration.heads {
                mixer.compare(a, b, of: tower.capture(layer)[.queryKeyValue], head: head, into: scores)
                for patch in shown {
                    let row = scores + patch * layout.count
                    let itself = Double(row[patch])
                    let all = layout.patchRows.reduce(-itself) { $0 + Double(row[$1]) }
                    let own = shown.reduce(-itself) { $0 + Double(row[$1]) }
                    sum += all > 0 ? min(max(own / all, 0), 1) : 0
                    count += 1
                }
            }
        }
        return sum / Double(count)
    }
}

/// Runs the image tower and holds what ``SurgeryPass`` reads. Belongs to one worker; its memory is allocated once and serves
/// one batch after the other.
///
/// ```swift
/// let workspace = SurgeryWorkspace(
///     try model.vision.resized(to: 512), recipes: [.plain, .surgery(depth: 6)], capacity: 1)
/// let tokens = workspace.run(image, batch: 1).embed(.surgery(depth: 6))   // [T, d]
/// ```
public final class SurgeryWorkspace {
    public let vision: VisionTransformer
    /// What can be asked for.
    public let recipes: [SurgeryRecipe]
    /// Its block's memory is free once the tower has run.
    fileprivate let tower: VisionWorkspace
    /// The second path. // [batch · T, D]
    fileprivate let path: FloatBuffer
    /// // [batch · T, d]
    fileprivate let tokens: FloatBuffer
    fileprivate let attentions: [SurgeryRecipe.Attention: PatchAttention]

    /// - Parameters:
    ///   - vision: of the size of the images.
    ///   - capacity: the largest batch.
    /// - Precondition: no recipe is deeper than the tower.
    public init(_ vision: VisionTransformer, recipes: [SurgeryRecipe], capacity: Int) {
        let (configuration, layers) = (vision.configuration, vision.blocks.count)
        precondition(recipes.allSatisfy { $0.depth <= layers }, "a second path deeper than \(layers) blocks")
        self.vision = vision
        self.recipes = recipes
        var requests = [CaptureRequest](repeating: [], count: layers)
        if recipes.contains(where: { $0.depth == 0 }) { requests[layers - 1].insert(.output) }
        for recipe in recipes where recipe.depth > 0 {
            for layer in layers - recipe.depth..<layers { requests[layer].formUnion(recipe.attention.needs) }
            if recipe.keepsResidual { requests[layers - recipe.depth].insert(.attentionInput) }
        }
        tower = VisionWorkspace(vision, capacity: capacity, capturing: requests)
        path = FloatBuffer(capacity * vision.tokens * vision.width)
        tokens = FloatBuffer(capacity * vision.tokens * vision.embeddingWidth)
        attentions = Dictionary(
            recipes.map { ($0.attention, PatchAttention($0.attention, configuration)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Runs the tower on images of its size, 8-bit RGB. // [batch, size, size, 3]
    public func run(_ images: UnsafePointer<UInt8>, batch: Int) -> SurgeryPass {
        SurgeryPass(vision(images, batch: batch, tower), self)
    }
}
