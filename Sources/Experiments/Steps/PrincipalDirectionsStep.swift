import DenseMath
import Lens
import Pipeline

/// r_n, how much of the effects lies along it, and t_n of every neuron, by layer.
typealias FittedDirections = ByLayer<LayerDirections>

struct LayerDirections: ColumnSet {
    var directions = PrincipalDirections()
    /// t_n. // [N]
    var thresholds: [Float] = []

    static let columns: [Column<Self>] = [.table("", \.directions), .rows("thresholds", \.thresholds, of: "neurons")]
}

extension PrincipalDirections: ColumnSet {
    init() { self.init(directions: Tensor(zeros: [0, 0])) }

    static let columns: [Column<Self>] = [
        .rows("directions", \.directions, of: "neurons"), .rows("shares", \.shares, of: "neurons"),
        .rows("centred-shares", \.centredShares, of: "neurons"), .rows("ratios", \.ratios, of: "neurons"),
    ]
}

/// Fits r_n to the largest effects of every neuron, a layer at a time.
struct PrincipalDirectionsStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]
    let largest: StepHandle<Shards<CandidateEffectsPart>>
    /// Images with the largest effects that a neuron's direction is fitted to.
    let count: Int

    func step() throws -> Step<FittedDirections> {
        let runs = LargestLayers.parts(largest)
        return Step(
            kind: "principal-directions", version: 4,
            parameters: ["layers": .integers(layers), "images-per-neuron": .integer(count)],
            inputs: [largest.erased], digests: ["model": model.digest],
            memory: model.memoryOfDirections(layers: layers, kept: count),
            cost: model.imageCost(
                perUnit: layers.reduce(0) { $0 + model.operations.directions($1, images: Double(count)) }
                    / Double(max(layers.count, 1))),
            work: try .joined(units: layers.count, unitsPerShard: 1) { inputs in
                let parts = try inputs.parts(runs).flatMap { $0 }
                return { shard in
                    let lens = try model.lens(layers[shard.units.lowerBound])
                    let largest = try LargestLayers(parts, layer: lens.layer, count: count)
                    return FittedDirections(layers: [
                        lens.layer: .init(
                            directions: try PrincipalDirections(
                                lens, largest: largest.effects, biasShares: largest.biasShares),
                            thresholds: largest.effects.thresholds)
                    ])
                }
            })
    }
}

/// The largest effects of one layer's neurons, of the images of all shards.
struct LargestLayers {
    let effects: LargestEffects
    /// δb. // [images, d]
    let biasShares: Tensor

    /// The shards, mapped once: each worker that reads a layer's effects reads some of every shard.
    static func parts(_ largest: StepHandle<Shards<CandidateEffectsPart>>) -> SharedParts<[CandidateEffectsPart]> {
        SharedParts(1) { inputs, _ in
            let shards = try inputs[largest]
            return try (0..<shards.count).map { try shards[$0] }
        }
    }

    /// - Throws: `PipelineError.invalidArtefact` where a neuron has fewer than `count` effects.
    init(_ parts: [CandidateEffectsPart], layer: Int, count: Int) throws {
        let runs = try parts.map { try $0.layer(layer) }
        guard let effects = LargestEffects(runs.map(\.effects), count: count) else {
            throw PipelineError.invalidArtefact(
                part: "\(layer).norms", reason: "a neuron has fewer than \(count) effects")
        }
        self.effects = effects
        let images = runs.reduce(0) { $0 + $1.biasShares.shape[0] }
        let shares = runs.flatMap(\.biasShares.elements)
        biasShares = Tensor(shape: [images, shares.count / max(images, 1)], elements: shares)
    }
}
