import Attribution
import CLIPModel
import Foundation
import Pipeline

/// The settings under which second-order maps are made again: numbers of neurons times sets of layers,
/// each scored at every threshold.
struct SensitivityGrid: Sendable {
    let layerSets: [[Int]]
    /// Index of the table's layers among the sets.
    let tableSet: Int
    let neurons: [Int]
    let thresholds: [Double]

    /// Every single layer, and the layers of the table.
    init(_ spec: SegmentationSpec, layers: [Int]) {
        let chosen = spec.neuronLayers ?? layers
        layerSets = layers.map { [$0] } + (chosen.count > 1 ? [chosen] : [])
        tableSet = layerSets.firstIndex(of: chosen) ?? 0
        neurons = spec.sensitivity.neurons
        thresholds = spec.sensitivity.thresholds
    }

    var cases: Int { layerSets.count * neurons.count }

    func index(layerSet: Int, neurons position: Int) -> Int { layerSet * neurons.count + position }

    static func name(_ layers: [Int]) -> String { layers.map(String.init).joined(separator: "+") }
}

enum SensitivityStep {
    private static let imagesPerShard = 50

    static func add(
        _ study: Study, _ spec: SegmentationSpec, images: ImageSource, classifier: StepHandle<StoredClassifier>,
        directions: StepHandle<FittedDirections>, in graph: inout Graph
    ) throws -> StepHandle<SegmentationScores> {
        let model = study.model
        let grid = SensitivityGrid(spec, layers: study.layers)
        let rules = grid.thresholds.map { ForegroundRule.above(Float($0)) }
        return try graph.add(
            Step(
                kind: "segmentation-sensitivity", version: 2,
                parameters: [
                    "neurons": .integers(grid.neurons), "layer-sets": .list(grid.layerSets.map { .integers($0) }),
                    "thresholds": .list(grid.thresholds.map { .number($0) }), "images": .integer(images.count),
                ],
                inputs: [images.images.erased, classifier.erased, directions.erased], digests: ["model": model.digest],
                memory: model.memory(layers: study.layers), cost: model.passCost(towers: 5),
                work: .map(
                    units: images.count, unitsPerShard: imagesPerShard,
                    makeWorker: { inputs in
                        let (reader, classifier) = (ImageReader(try inputs[images.images]), try inputs[classifier].classifier)
                        let directions = try inputs[directions]
                        let (clip, size) = (try model.clip.value(), model.configuration.vision.imageSize)
                        let pass = AttributionPass(
                            clip.vision, classifier: classifier.weights, logitScale: exp(clip.logitScale), methods: [])
                        let sets = try grid.layerSets.map { try ClassNeurons(directions, layers: $0, classifier: classifier) }
                        return { shard in
                            var result = SegmentationScores(cases: grid.cases, rules: rules.count)
                            for image in shard.units {
                                try inputs.checkCancellation()
                                try reader.withImages(image..<image + 1) { pass.run($0) }
                                let logits = pass.logits
                                guard logits.allSatisfy(\.isFinite), let label = logits.indices.max(by: { logits[$0] < logits[$1] })
                                else { throw ExperimentError.notFinite(image: images.name.imageID(image), place: "logits") }
                                result.appendImage(predicted: label, margin: 0, absent: label)
                                let mask = try reader.foreground(image)
                                for set in sets {
                                    // The largest set of neurons holds the others, in order.
                                    let neurons = set.largest(grid.neurons.last ?? 1, of: label)
                                    for count in grid.neurons {
                                        try result.append(
                                            pass.secondOrderMap(neurons: Array(neurons.prefix(count))), mask: mask,
                                            size: size, rules: rules)
                                    }
                                }
                            }
                            return result
                        }
                    },
                    reduce: { _, shards in
                        var all = SegmentationScores(cases: grid.cases, rules: rules.count)
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }
}
