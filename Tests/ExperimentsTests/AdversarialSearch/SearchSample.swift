import CLIPModel
import DenseMath
import Inputs
import Lens
import Pipeline

@testable import Experiments

/// A search so small that every number of it can be worked out by hand.
enum SearchSample {
    static let classNames = ["owl", "cat", "dog"]

    static let specText = """
        experiment: adversarial-search
        world: emoji
        model: m
        fit: {dataset: d, split: fit}
        pairs:
          - {shown: cat, mistaken-for: dog, paper: dog-deer}
          - {shown: owl, mistaken-for: cat}
        pools:
          - {name: words, source: names-and-keywords}
        sizes: [2, 3]
        size: 2
        neurons: 2
        neuron-layers: [0, 2]
        indirect-sample: {neurons: 4, images: 8}
        phrases: 3
        synonyms: {above: 0.92}
        descriptions: {count: 2, phrases-each: 2}
        images-each: 2
        repeats: [2]
        describer: {kind: templates}
        generator: {kind: command, command: [cat]}
        seed: 7
        """

    static func spec(_ text: String = specText) throws -> AdversarialSearchSpec {
        var choices = HandMade.choices(layers: 0..<3)
        choices.classes = classNames
        choices.papersPairs = try HandMade.papers().table("2nd order", "Table 3")?.rows ?? []
        return try AdversarialSearchSpec(SpecDocument(text: text, path: "spec.yaml"), choices: choices)
    }

    /// Rows: owl, cat, dog, so that v = (0, −1, 1) from cat to dog.
    static let classifier = ZeroShotClassifier(weights: Tensor(shape: [3, 3], elements: [1, 0, 0, 0, 1, 0, 0, 0, 1]))

    /// The second class itself, one that is just too near to it, one that is just near enough, and others.
    static let pool = TextPool(
        phrases: ["dog", "puppy", "bone", "leash", "hot dogs", "ship", "moon", "qwertz"],
        embeddings: Tensor(
            shape: [8, 3],
            elements: [
                0, 0, 1, 0, 0, Float(0.5).nextUp, 0, 0.125, 0.5, 0.25, 0, 0.25, 1, 0, 0, 0.5, -0.5, 0, 0, 0.75, 0.25, 0,
                0, -1,
            ]))

    /// Two neurons of each of the layers 0 and 2, with ⟨v, r⟩ = 0.5, −2, 0, 1 for v = (0, −1, 1).
    static let directions = FittedDirections(layers: [
        0: layer([0, 0, 0.5, 0, 1, -1]), 1: layer([9, 9, 9, 9, 9, 9]), 2: layer([3, 0, 0, 0, -1, 0]),
    ])

    private static func layer(_ rows: [Float]) -> LayerDirections {
        .init(
            directions: HandMade.directions(Tensor(shape: [2, 3], elements: rows), shares: [1, 1]),
            thresholds: [0, 0])
    }

    /// Two or three phrases for each neuron; a pursuit that ended early has −1.
    static let texts = FittedSparseTexts(layers: [
        0: codes([6, 7, 0, 5, 2, 4], first: [1, 1, -0.5, 0.25]), 1: codes([0, 0, 0, 0, 0, 0], first: [9, 9, 9, 9]),
        2: codes([2, -1, -1, 3, 5, 7], first: [8, 0, 1, 0.25]),
    ])

    /// - Parameters:
    ///   - atoms: // [2, 3]
    ///   - first: coefficients of the size 2; those of the size 3 are not to be read. // [2, 2]
    private static func codes(_ atoms: [Int32], first: [Float]) -> SparseCodes {
        SparseCodes(
            sizes: [2, 3], atoms: atoms,
            coefficients: Tensor(
                shape: [2, 2, 3],
                elements: [first[0], first[1], 0, first[2], first[3], 0] + [Float](repeating: 100, count: 6)))
    }

    static func described() throws -> DescribedNeurons {
        try DescribedNeurons(directions, texts: texts, size: 0, layers: [0, 2], gap: 0.95)
    }

    static func search(
        _ spec: AdversarialSearchSpec? = nil, seed: Int = 7, secondOrder: DescribedNeurons? = nil,
        indirect: DescribedNeurons? = nil,
        pool: TextPool = pool, scenes: SceneGenerator? = nil
    ) throws -> WordSearch {
        try WordSearch(
            spec ?? self.spec(), seed: seed, classTexts: classifier.weights, names: classifier.weights,
            classNames: classNames, pool: pool,
            secondOrder: secondOrder ?? described(), indirect: indirect ?? described(), scenes: scenes)
    }
}
