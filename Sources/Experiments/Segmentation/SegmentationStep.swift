import Attribution
import CLIPModel
import Inputs
import Pipeline

enum SegmentationStep {
    /// Images that are computed and stored together: each takes many times a forward pass.
    private static let imagesPerShard = 50

    static func add(
        _ study: Study, _ spec: SegmentationSpec, images: ImageSource, classifier: StepHandle<StoredClassifier>,
        directions: StepHandle<FittedDirections>, in graph: inout Graph
    ) throws -> StepHandle<SegmentationScores> {
        let (model, layers, seed) = (study.model, spec.neuronLayers ?? study.layers, study.spec.seed)
        let rules = spec.rules.map(\.rule)
        return try graph.add(
            Step(
                kind: "segmentation", version: 3,
                parameters: [
                    "neurons": .integer(spec.neurons), "neuron-layers": .integers(layers), "images": .integer(images.count),
                    "cases": .texts(SegmentationCase.all.map { "\($0.maker.name), \($0.query.rawValue)" }),
                    "rules": .texts(spec.rules.map(\.name)), "clips-textspan": .bool(spec.clipsTextSpan), "seed": .integer(seed),
                ],
                inputs: [images.images.erased, images.facts.erased, classifier.erased, directions.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers), cost: model.passCost(towers: 25),
                work: .map(
                    units: images.count, unitsPerShard: imagesPerShard,
                    makeWorker: { inputs in
                        let (reader, classifier) = (ImageReader(try inputs[images.images]), try inputs[classifier].classifier)
                        let (facts, size) = (try inputs[images.facts], model.configuration.vision.imageSize)
                        let maps = SegmentationMaps(
                            try model.clip.value(), classifier: classifier,
                            neurons: try ClassNeurons(try inputs[directions], layers: layers, classifier: classifier),
                            count: spec.neurons, seed: seed)
                        return { shard in
                            var result = SegmentationScores(cases: SegmentationCase.all.count, rules: rules.count)
                            for image in shard.units {
                                try inputs.checkCancellation()
                                try maps.run(reader, image, of: images.name)
                                let absent = maps.absentClass(facts, image, classes: classifier.weights.shape[0])
                                result.appendImage(
                                    predicted: maps.predicted.label, margin: maps.predicted.margin, absent: absent)
                                let mask = try reader.foreground(image)
                                for item in SegmentationCase.all {
                                    let label = item.query == .predicted ? maps.predicted.label : absent
                                    try result.append(
                                        maps.map(item.maker, class: label), mask: mask, size: size, rules: rules,
                                        clipsNegatives: spec.clipsTextSpan && item.maker == .method(.textSpan))
                                }
                            }
                            return result
                        }
                    },
                    reduce: { _, shards in
                        var all = SegmentationScores(cases: SegmentationCase.all.count, rules: rules.count)
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }
}

extension ImageReader {
    /// The main object's pixels, 1 on 0: the object that gives the image its label is the foreground, others belong
    /// to the background; 255 where nothing counts. // [size, size]
    /// - Throws: `PipelineError.damaged`.
    func foreground(_ index: Int) throws -> [UInt8] {
        try mask(index).map { $0 == ObjectMask.ignored ? SegmentationCounts.unlabelled : $0 == 1 ? 1 : 0 }
    }
}
