import Foundations

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
