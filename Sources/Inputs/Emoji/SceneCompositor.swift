import Foundations

/// Makes the scenes of the emoji world: scene *i* of a split depends on the recipe, the seed, the
/// split and *i* alone, to the last bit.
public struct SceneCompositor: Sendable {
    public let catalogue: EmojiCatalogue
    public let recipe: SceneRecipe
    public let seed: UInt64
    /// One for each concept.
    let sprites: [Sprite]

    /// - Parameter sprites: one for each concept.
    /// - Throws: ``InputError/recipeOutOfRange(key:value:allowed:)``.
    public init(
        catalogue: EmojiCatalogue, sprites: [Sprite], recipe: SceneRecipe = SceneRecipe(), seed: UInt64 = 0
    ) throws {
        precondition(sprites.count == catalogue.concepts.count, "one sprite for each concept")
        self.catalogue = catalogue
        self.sprites = sprites
        self.recipe = try recipe.validated()
        self.seed = seed
    }

    /// Scene `index` of `split`. Labels are balanced: each run of as many scenes as there are concepts
    /// shows every concept once as the main object.
    /// - Parameter index: at least 0.
    public func scene(_ split: SceneSplit, _ index: Int) -> EmojiScene {
        var random = SplitMix64(seed: seed, label: split.rawValue, index: UInt64(index))
        let label = self.label(split, index)
        let second = random.uniform() < recipe.secondObjectProbability ? otherConcept(than: label, &random) : nil
        let rendition = split == .valR ? Rendition.allCases[random.below(Rendition.allCases.count)] : nil

        var canvas = SceneCanvas(
            size: recipe.imageSize, background: SceneBackground.make(size: recipe.imageSize, random: &random))
        strewClutter(of: sprites, over: &canvas, &random)
        let size = Double(recipe.imageSize)
        let mainSize = size * random.uniform(recipe.mainScale)
        let main = placement(size: mainSize, &random)
        if let second {
            let largest = max(recipe.secondScale.lowerBound, min(recipe.secondScale.upperBound, 0.8 * mainSize / size))
            let secondSize = size * random.uniform(recipe.secondScale.lowerBound...largest)
            canvas.draw(
                sprite(second, rendition), placement(size: secondSize, awayFrom: [main], &random), object: 2)
        }
        canvas.draw(sprite(label, rendition), main, object: 1)

        let words = ([label] + (second.map { [$0] } ?? [])).map {
            SceneCaption.word(for: catalogue.concepts[$0], random: &random)
        }
        return EmojiScene(
            image: canvas.image(), mask: canvas.objects, label: label, otherLabels: second.map { [$0] } ?? [],
            caption: SceneCaption.make(words: words, random: &random))
    }

    private func label(_ split: SceneSplit, _ index: Int) -> Int {
        let count = catalogue.concepts.count
        var random = SplitMix64(seed: seed, label: split.rawValue + " labels", index: UInt64(index / count))
        return random.permutation(count)[index % count]
    }

    private func otherConcept(than label: Int, _ random: inout SplitMix64) -> Int {
        let draw = random.below(catalogue.concepts.count - 1)
        return draw < label ? draw : draw + 1
    }

    private func sprite(_ label: Int, _ rendition: Rendition?) -> Sprite {
        rendition.map { $0(sprites[label]) } ?? sprites[label]
    }

    func placement(size: Double, _ random: inout SplitMix64) -> Placement {
        let room = Double(recipe.imageSize) - size
        return Placement(
            x: size / 2 + room * random.uniform(), y: size / 2 + room * random.uniform(), size: size,
            halfTangent: random.uniform(-recipe.rotation...recipe.rotation), mirrored: random.below(2) == 1,
            colour: colour(&random))
    }

    /// The one of eight random places that overlaps least with the objects that have theirs.
    func placement(size: Double, awayFrom placed: [Placement], _ random: inout SplitMix64) -> Placement {
        func overlaps(_ candidate: Placement) -> Double { placed.reduce(0) { $0 + overlap(candidate, $1) } }
        var best = placement(size: size, &random)
        for _ in 1..<8 {
            let candidate = placement(size: size, &random)
            if overlaps(candidate) < overlaps(best) { best = candidate }
        }
        return best
    }

    /// Area in which the unrotated squares of two objects overlap.
    func overlap(_ a: Placement, _ b: Placement) -> Double {
        let reach = (a.size + b.size) / 2
        let width = min(reach - abs(a.x - b.x), min(a.size, b.size))
        let height = min(reach - abs(a.y - b.y), min(a.size, b.size))
        return max(0, width) * max(0, height)
    }

    private func colour(_ random: inout SplitMix64) -> ColourTurn {
        let turn = random.uniform(-recipe.hueTurn...recipe.hueTurn)
        let isGrey = random.uniform() < recipe.greyProbability
        let range = (1 - recipe.channelGain)...(1 + recipe.channelGain)
        let gains = SIMD3(random.uniform(range), random.uniform(range), random.uniform(range))
        return (isGrey ? ColourTurn.grey : .turn(halfTangent: turn)).scaled(by: gains)
    }

    /// Pieces of random sprites behind the objects: colour and texture alone no longer tell what a scene shows.
    func strewClutter(of sprites: [Sprite], over canvas: inout SceneCanvas, _ random: inout SplitMix64) {
        guard recipe.clutter > 0, !sprites.isEmpty else { return }
        for _ in 0..<random.below(recipe.clutter + 1) {
            let sprite = sprites[random.below(sprites.count)]
            let side = 24.0
            let room = Double(Sprite.size) - side
            var piece = placement(size: Double(recipe.imageSize) * random.uniform(0.12...0.30), &random)
            piece.source = .init(x: room * random.uniform(), y: room * random.uniform(), side: side)
            canvas.draw(sprite, piece, object: 0)
        }
    }
}
