import DenseMath
import Lens
import Pipeline
import Safetensors

/// r_n, how much of the effects lies along it, and t_n of every neuron, by layer.
struct FittedDirections: Artefact {
    struct Layer: Sendable {
        var directions: PrincipalDirections
        /// t_n. // [N]
        var thresholds: [Float]
    }

    var layers: [Int: Layer]

    init(layers: [Int: Layer]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { layer in
            Layer(
                directions: try PrincipalDirections(stored, prefix: "\(layer)."),
                thresholds: try stored.list("\(layer).thresholds"))
        }
    }

    func stored() throws -> StoredArtefact {
        try LayerTensors.write(layers) { layer in
            var tensors = try layer.directions.tensors()
            tensors["thresholds"] = try StoredTensor(layer.thresholds, shape: [layer.thresholds.count])
            return tensors
        }
    }

    /// - Throws: `PipelineError.invalidArtefact` where the artefact lacks the layer.
    func layer(_ layer: Int) throws -> Layer {
        guard let fitted = layers[layer] else {
            throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
        }
        return fitted
    }
}

extension PrincipalDirections {
    /// - Throws: `PipelineError.invalidArtefact`.
    init(_ stored: StoredArtefact, prefix: String) throws {
        self.init(
            directions: try stored.numbers(prefix + "directions", dimensions: 2), shares: try stored.list(prefix + "shares"),
            centredShares: try stored.list(prefix + "centred-shares"), ratios: try stored.list(prefix + "ratios"))
        guard [shares, centredShares, ratios].allSatisfy({ $0.count == directions.shape[0] }) else {
            throw PipelineError.invalidArtefact(part: prefix + "shares", reason: "\(shares.count) for \(directions.shape[0]) neurons")
        }
    }

    /// As parts of an artefact.
    func tensors(prefix: String = "") throws -> [String: StoredTensor] {
        [
            prefix + "directions": try directions.stored(),
            prefix + "shares": try StoredTensor(shares, shape: [shares.count]),
            prefix + "centred-shares": try StoredTensor(centredShares, shape: [centredShares.count]),
            prefix + "ratios": try StoredTensor(ratios, shape: [ratios.count]),
        ]
    }
}

enum PrincipalDirectionsStep {
    /// - Parameter count: images with the largest effects that a neuron's direction is fitted to.
    static func add(
        _ model: ModelUnderStudy, layers: [Int], largest: StepHandle<Shards<LargeEffectsPart>>, count: Int,
        in graph: inout Graph
    ) throws -> StepHandle<FittedDirections> {
        // Mapped once: each worker that reads a layer's effects reads some of every shard.
        let runs = SharedParts(1) { inputs, _ in
            let shards = try inputs[largest]
            return try (0..<shards.count).map { try shards[$0] }
        }
        return try graph.add(
            Step(
                kind: "principal-directions", version: 3,
                parameters: ["layers": .integers(layers), "images-per-neuron": .integer(count)],
                inputs: [largest.erased], digests: ["model": model.digest], memory: model.memoryOfDirections(layers: layers, kept: count),
                cost: model.imageCost(
                    perUnit: layers.reduce(0) { $0 + model.operations.directions($1, images: Double(count)) }
                        / Double(max(layers.count, 1))),
                work: .map(
                    units: layers.count, unitsPerShard: 1,
                    makeWorker: { inputs in
                        let parts = try inputs.parts(runs).flatMap { $0 }
                        return { shard in
                            let lens = try model.lens(layers[shard.units.lowerBound])
                            let runs = try parts.map { try $0.layer(lens.layer) }
                            guard let largest = LargestEffects(runs.map(\.effects), count: count) else {
                                throw PipelineError.invalidArtefact(
                                    part: "\(lens.layer).norms", reason: "a neuron has fewer than \(count) effects")
                            }
                            let biasShares = runs.flatMap(\.biasShares.elements)
                            return FittedDirections(layers: [
                                lens.layer: .init(
                                    directions: try PrincipalDirections(
                                        lens, largest: largest,
                                        biasShares: Tensor(
                                            shape: [biasShares.count / lens.embeddingWidth, lens.embeddingWidth],
                                            elements: biasShares)),
                                    thresholds: largest.thresholds)
                            ])
                        }
                    },
                    reduce: { _, shards in
                        var all = FittedDirections(layers: [:])
                        try shards.forEach { _, part in all.layers.merge(part.layers) { first, _ in first } }
                        return all
                    })))
    }
}
