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

/// Scenes of chosen objects, for the adversarial concept search.
extension SceneCompositor {
    /// Most objects that a scene shows beside its main one.
    public static let mostOthers = 4

    /// Layouts that are tried for one scene, from the recipe's sizes down to its smallest ones.
    private static let layouts = 24
    /// A layout is taken at once when no object's square is covered by others to more than this share.
    private static let hiddenShare = 0.2

    /// A scene whose main object is `main`, in full and in front, and that shows each of `others` beside
    /// it, smaller. Sizes and places are those of the recipe, drawn again with smaller objects while one
    /// hides another; a recipe whose smallest objects do not fit beside each other gives the best layout found.
    ///
    /// The scene depends on the recipe, the seed and the arguments alone, and shares its random stream
    /// with no scene of a split.
    /// - Parameters:
    ///   - others: at most ``mostOthers`` concepts other than `main`; they have the mask values 2, 3 and so on.
    ///   - label: the name of the stream, such as the search's own.
    ///   - avoided: concepts of which no piece may stand in the background, besides `main`.
    public func scene(
        showing main: Int, beside others: [Int], label: String, index: UInt64, avoiding avoided: Set<Int> = []
    ) -> EmojiScene {
        let concepts = catalogue.concepts.indices
        precondition(
            concepts.contains(main) && others.allSatisfy { concepts.contains($0) && $0 != main },
            "concepts of the catalogue")
        precondition(others.count <= Self.mostOthers, "at most \(Self.mostOthers) objects beside the main one")
        var random = SplitMix64(seed: seed, label: "chosen objects: \(label)", index: index)
        var canvas = SceneCanvas(
            size: recipe.imageSize, background: SceneBackground.make(size: recipe.imageSize, random: &random))
        let pieces = concepts.filter { $0 != main && !avoided.contains($0) }.map { sprites[$0] }
        strewClutter(of: pieces, over: &canvas, &random)
        let layout = layout(others: others.count, &random)
        for (number, other) in others.enumerated().reversed() {
            canvas.draw(sprites[other], layout[number + 1], object: UInt8(number + 2))
        }
        canvas.draw(sprites[main], layout[0], object: 1)
        let words = ([main] + others).map { catalogue.concepts[$0].name }
        return EmojiScene(
            image: canvas.image(), mask: canvas.objects, label: main, otherLabels: others,
            caption: SceneCaption.make(words: words, random: &random))
    }

    /// Places of the main object and of `count` others, each in front of the next.
    private func layout(others count: Int, _ random: inout SplitMix64) -> [Placement] {
        var best: (places: [Placement], hidden: Double)?
        for attempt in 0..<Self.layouts {
            let reach = 1 - Double(attempt) / Double(Self.layouts - 1)
            let places = places(others: count, reach: reach, &random)
            let hidden = largestHiddenShare(places)
            if hidden < best?.hidden ?? .infinity { best = (places, hidden) }
            if hidden <= Self.hiddenShare { break }
        }
        return best?.places ?? []
    }

    /// - Parameter reach: share of the recipe's range of sizes that is used, from its lower end.
    private func places(others count: Int, reach: Double, _ random: inout SplitMix64) -> [Placement] {
        let size = Double(recipe.imageSize)
        func draw(_ range: ClosedRange<Double>) -> Double {
            random.uniform(range.lowerBound...range.lowerBound + reach * (range.upperBound - range.lowerBound))
        }
        let mainScale = draw(recipe.mainScale)
        var places = [placement(size: size * mainScale, &random)]
        let largest = max(recipe.secondScale.lowerBound, min(recipe.secondScale.upperBound, 0.8 * mainScale))
        for _ in 0..<count {
            let scale = draw(recipe.secondScale.lowerBound...largest)
            places.append(placement(size: size * scale, awayFrom: places, &random))
        }
        return places
    }

    /// The largest share of one object's square that the objects in front of it cover.
    private func largestHiddenShare(_ places: [Placement]) -> Double {
        places.indices.map { index in
            let place = places[index]
            return places[..<index].reduce(0) { $0 + overlap(place, $1) } / (place.size * place.size)
        }.max() ?? 0
    }
}
