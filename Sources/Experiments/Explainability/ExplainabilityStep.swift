import Attribution
import Pipeline

/// What a step over the labels of images takes.
struct ExplainabilityInputs: Sendable {
    let study: PictureStudy
    let classifier: StepHandle<StoredClassifier>
    let empty: StepHandle<StoredClassifier>
    /// For the second-order row.
    var secondOrder: (directions: StepHandle<FittedDirections>, layers: [Int], neurons: Int)?

    var handles: [AnyStepHandle] {
        [study.images.images.erased, study.images.facts.erased, classifier.erased, empty.erased]
            + (secondOrder.map { [$0.directions.erased] } ?? [])
    }

    /// Settings for the key of a step.
    var parameters: Parameters {
        var parameters: Parameters = ["input-size": .integer(study.inputSize), "seed": .integer(study.setting.seed)]
        if let secondOrder {
            parameters["neurons"] = .integer(secondOrder.neurons)
            parameters["neuron-layers"] = .integers(secondOrder.layers)
        }
        return parameters
    }

    /// For one worker.
    func maps(_ cases: [ExplainabilityCase], _ inputs: Inputs) throws -> LabelMaps {
        let classifier = try inputs[classifier].classifier
        return try LabelMaps(
            study.model.clip.value(), cases, classifier: classifier.weights, empty: inputs[empty].classifier.weights,
            secondOrder: secondOrder.map {
                .init(neurons: try ClassNeurons(inputs[$0.directions], layers: $0.layers, classifier: classifier), count: $0.neurons)
            }, size: study.inputSize, seed: study.setting.seed)
    }
}

enum ExplainabilityStep {
    private static let imagesPerShard = 50

    /// Every label that an image shows, by every case, against the label's pixels.
    static func add(
        _ source: ExplainabilityInputs, _ cases: [ExplainabilityCase], label: String, images count: Int, in graph: inout Graph
    ) throws -> StepHandle<ExplainabilityScores> {
        let (study, model) = (source.study, source.study.model)
        let images = study.images
        var parameters = source.parameters
        parameters["cases"] = .texts(cases.map(\.key))
        parameters["images"] = .integer(count)
        let attributions = cases.count { if case .attribution = $0 { true } else { false } }
        return try graph.add(
            Step(
                kind: "explainability", label: label, version: 1, parameters: parameters, inputs: source.handles,
                digests: ["model": model.digest],
                memory: model.surgeryMemory(inputSize: study.inputSize, records: attributions > 0),
                cost: model.surgeryCost(inputSize: study.inputSize, paths: Double(cases.count), attributions: attributions),
                work: .map(
                    units: count, unitsPerShard: imagesPerShard,
                    makeWorker: { inputs in
                        let (reader, facts) = (ImageReader(try inputs[images.images]), try inputs[images.facts])
                        let maps = try source.maps(cases, inputs)
                        return { shard in
                            var part = ExplainabilityPart(cases: cases.count)
                            for image in shard.units {
                                try inputs.checkCancellation()
                                let answer = try maps.run(reader, image, of: images.name)
                                part.appendImage(predicted: answer.label, margin: answer.margin)
                                let mask = try reader.mask(image)
                                let shown = ShownLabels.of(facts[image], mask: mask)
                                let objects = facts[image].objects.map(Int.init)
                                for label in shown {
                                    try part.appendLabel(
                                        label, mask: ShownLabels.mask(of: label, facts[image], mask: mask),
                                        maps: cases.map { try maps.map($0, of: label, shown: objects) })
                                }
                            }
                            return part
                        }
                    },
                    reduce: { _, shards in try ExplainabilityScores(shards, cases: cases.count) })))
    }
}
