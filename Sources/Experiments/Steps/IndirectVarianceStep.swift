import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// Share of the variance of single neurons' indirect effects that their first principal component
/// explains, for a seeded sample of neurons of each layer.
struct IndirectExplainedVariance: Artefact, Codable {
    struct Neuron: Codable, Sendable {
        var layer: Int
        var neuron: Int
        var explainedVariance: Double
    }

    var neurons: [Neuron]
    /// Fit images from which they were estimated.
    var images: Int
}

enum IndirectVarianceStep {
    /// - Parameters:
    ///   - neurons: sampled from each layer.
    ///   - imageCount: the first images of the set that are used.
    ///   - keeping: images with the largest effects whose effects are decomposed.
    static func add(
        _ model: ModelUnderStudy, layers: [Int], images: ImageSource, means: StepHandle<FittedMeans>, neurons: Int,
        imageCount: Int, keeping: Int, seed: Int, in graph: inout Graph
    ) throws -> StepHandle<IndirectExplainedVariance> {
        let imageCount = min(imageCount, images.count)
        let sample = layers.flatMap { layer in
            var random = SplitMix64(seed: UInt64(seed), label: "indirect sample", index: UInt64(layer))
            return random.sample(neurons, of: model.configuration.vision.mlpWidth).sorted().map { (layer, $0) }
        }
        return try graph.add(
            Step(
                kind: "indirect-variance", version: 1,
                parameters: [
                    "layers": .integers(layers), "neurons": .integer(neurons), "images": .integer(imageCount),
                    "keeping": .integer(keeping), "seed": .integer(seed),
                ],
                inputs: [images.handle.erased, means.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, images: images.count),
                work: .map(
                    units: sample.count, unitsPerShard: max(neurons, 1),
                    makeWorker: { inputs in
                        let (scenes, means) = (try inputs[images.handle], try inputs[means])
                        let vision = try model.clip.value().vision
                        return { shard in
                            // A shard is one layer's sample, so that one pass serves all its neurons.
                            let chosen = Array(sample[shard.units])
                            guard let layer = chosen.first?.0 else {
                                return IndirectExplainedVariance(neurons: [], images: imageCount)
                            }
                            let pass = EffectPass(vision, layers: [layer], capacity: model.batch, capturing: .mlpInput)
                            let single = IndirectNeuronEffects(
                                vision, layer: layer, neurons: chosen.map(\.1),
                                meanActivations: try means.layer(layer).activations, capacity: model.batch)
                            for start in stride(from: 0, to: imageCount, by: pass.capacity) {
                                try inputs.checkCancellation()
                                scenes.withImages(from: start) { pass.run($0, batch: min(pass.capacity, imageCount - start)) }
                                if let image = pass.firstNonFiniteImage {
                                    throw ExperimentError.notFinite(image: images.name.imageID(start + image), place: "embedding")
                                }
                                single.add(pass)
                            }
                            return IndirectExplainedVariance(
                                neurons: try single.explainedVariances(keeping: keeping).enumerated().map {
                                    .init(layer: layer, neuron: chosen[$0].1, explainedVariance: Double($1))
                                }, images: imageCount)
                        }
                    },
                    reduce: { _, shards in
                        var all = IndirectExplainedVariance(neurons: [], images: imageCount)
                        try shards.forEach { _, part in all.neurons += part.neurons }
                        return all
                    })))
    }
}
