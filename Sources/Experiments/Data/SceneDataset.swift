import Foundation
import Foundations
import Inputs
import Pipeline

/// The emoji world as an experiment sees it: verified sources, splits as steps.
public struct SceneDataset: Sendable {
    public let name: String
    public let entry: DatasetsManifest.DatasetEntry
    private let compositor: SharedCompositor

    /// Compares the source files with the manifest's digests.
    /// - Throws: `InputError`.
    public init(_ name: String, in manifest: DatasetsManifest) throws {
        self.name = name
        entry = try manifest.dataset(name)
        let sources = try entry.verifiedSources(name: name)
        compositor = SharedCompositor(sources: sources, recipe: entry.recipe, seed: entry.seed)
    }

    public var imageSize: Int { entry.recipe.imageSize }

    /// Names of the classes in label order.
    /// - Throws: `InputError`.
    public func classNames() throws -> [String] { try compositor.value().catalogue.names }

    /// - Throws: `InputError`.
    func sceneCompositor() throws -> SceneCompositor { try compositor.value() }

    /// The classes in label order.
    /// - Throws: `InputError`.
    func concepts() throws -> [EmojiConcept] { try compositor.value().catalogue.concepts }

    /// Names and keywords of the classes, each once, in the order of the catalogue.
    /// - Throws: `InputError`.
    func namesAndKeywords() throws -> [String] {
        try concepts().flatMap { [$0.name] + $0.keywords }.uniqued()
    }

    /// A digest of the classes: their names, keywords and groups.
    /// - Throws: `InputError`.
    func namesDigest() throws -> String {
        let lines = try concepts().map { ([$0.name, $0.group, $0.subgroup] + $0.keywords).joined(separator: "\t") }
        return Digest.sha256(of: Data(lines.joined(separator: "\n").utf8))
    }

    /// Digests of what a scene depends on, for the keys of steps.
    private var digests: [String: String] {
        [
            "font": entry.sources.font.sha256, "annotations": entry.sources.annotations.sha256,
            "emoji-test": entry.sources.emojiTest.sha256,
        ]
    }

    private var recipeParameters: Parameters {
        let recipe = entry.recipe
        return [
            "image-size": .integer(recipe.imageSize),
            "main-scale": [.number(recipe.mainScale.lowerBound), .number(recipe.mainScale.upperBound)],
            "second-object-probability": .number(recipe.secondObjectProbability),
            "second-scale": [.number(recipe.secondScale.lowerBound), .number(recipe.secondScale.upperBound)],
            "rotation": .number(recipe.rotation), "channel-gain": .number(recipe.channelGain),
            "hue-turn": .number(recipe.hueTurn), "grey-probability": .number(recipe.greyProbability),
            "clutter": .integer(recipe.clutter), "seed": .text(String(entry.seed)),
        ]
    }

    /// Adds the steps that make the scenes of a split; a whole split is compared with its digest.
    /// - Parameter limit: makes the first scenes only, whose digest nobody has stated.
    /// - Throws: `InputError/unknownSplit`, `PipelineError`.
    func scenes(_ split: SceneSplit, limit: Int? = nil, in graph: inout Graph) throws -> ImageSource.Steps {
        guard let stated = entry.splits[split.rawValue] else {
            throw InputError.unknownSplit(name: split.rawValue, known: entry.splits.keys.sorted())
        }
        let count = min(limit ?? stated.count, stated.count)
        let expected = count == stated.count ? stated.sha256 : nil
        let images = try graph.add(
            ScenesStep(
                dataset: name, split: split, count: count, imageSize: imageSize, expected: expected,
                recipe: recipeParameters,
                digests: digests, compositor: compositor))
        return try ImageSource.Steps(images, count: count, label: split.rawValue, in: &graph)
    }
}

/// Makes the first scenes of a split; a whole split is compared with its digest.
private struct ScenesStep: StepDefinition {
    let dataset: String
    let split: SceneSplit
    let count: Int
    let imageSize: Int
    /// Digest of all scenes of the split, where it is stated; see `SceneDigest`.
    let expected: String?
    let recipe: Parameters
    let digests: [String: String]
    let compositor: SharedCompositor

    private static let perShard = 250

    func step() throws -> Step<Shards<ImageShard>> {
        let own: Parameters = ["split": .text(split.rawValue), "expected": expected.map { .text($0) } ?? .null]
        return Step(
            kind: "emoji-scenes", label: split.rawValue, version: 4, parameters: recipe.merging(own) { $1 },
            digests: digests,
            work: try .shards(
                units: count, unitsPerShard: Self.perShard,
                makeWorker: { _ in
                    let compositor = try compositor.value()
                    return { shard in ImageShard(shard.units.map { compositor.scene(split, $0) }, imageSize: imageSize)
                    }
                },
                check: { shards in
                    guard let expected else { return }
                    let found = try SceneDigest.of(shards)
                    guard found == expected else {
                        throw InputError.digestMismatch(
                            dataset: dataset, what: "split \(split.rawValue)", expected: expected, found: found)
                    }
                }))
    }
}

/// The digest of a split that the manifest states: pixels, then labels, second labels (little-endian
/// Int32) and masks.
enum SceneDigest {
    static func of(_ shards: [ImageShard]) -> String {
        func bytes(_ values: [Int32]) -> Data {
            values.reduce(into: Data()) { data, value in
                withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
            }
        }
        return Digest.sha256(
            of: shards.map(\.pixels) + [
                bytes(shards.flatMap(\.facts.labels)),
                bytes(shards.flatMap(\.facts.objects).map { $0.count > 1 ? $0[1] : -1 }),
            ]
                + shards.map(\.masks))
    }

    /// - Throws: `PipelineError.damaged`.
    static func of(_ shards: Shards<ImageShard>) throws -> String {
        of(try (0..<shards.count).map { try shards[$0] })
    }
}
