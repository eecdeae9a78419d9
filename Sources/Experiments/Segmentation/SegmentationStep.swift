import Attribution
import CLIPModel
import Inputs
import Pipeline

/// Scores the maps of every method against the images' masks.
struct SegmentationStep: ImageStep {
    typealias Output = SegmentationScores
    static let (kind, version) = ("segmentation", 4)
    /// Each image takes many times a forward pass.
    let imagesPerShard = 50

    let model: StudyModel
    let images: ImageSource
    let classifier: StepHandle<StoredClassifier>
    let directions: StepHandle<FittedDirections>
    let spec: SegmentationSpec
    /// Layers of the neurons that a second-order map is made of.
    let layers: [Int]

    private var seed: Int { spec.study.seed }
    private var rules: [ForegroundRule] { spec.rules.map(\.rule) }
    var parameters: Parameters {
        [
            "neurons": .integer(spec.neurons), "neuron-layers": .integers(layers), "images": .integer(images.count),
            "cases": .texts(SegmentationCase.all.map { "\($0.maker.name), \($0.query.rawValue)" }),
            "rules": .texts(spec.rules.map(\.name)), "clips-textspan": .bool(spec.clipsTextSpan),
            "seed": .integer(seed),
        ]
    }
    var inputs: [AnyStepHandle] { [images.facts.erased, classifier.erased, directions.erased] }
    var memory: MemoryEstimate? { model.memory(layers: layers) }
    var cost: CostEstimate? { model.passCost(towers: 25) }
    var none: SegmentationScores { SegmentationScores(cases: SegmentationCase.all.count, rules: spec.rules.count) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<SegmentationScores> {
        let (classifier, facts) = (try inputs[classifier].classifier, try inputs[self.images.facts])
        let (size, rules) = (model.configuration.vision.imageSize, rules)
        let mapper = SegmentationMapper(
            try model.clip.value(), classifier: classifier,
            neurons: try ClassNeurons(try inputs[directions], layers: layers, classifier: classifier),
            count: spec.neurons, seed: seed)
        return images.each { scores, image in
            let maps = try mapper.run(images.reader, image, of: images.set)
            let absent = maps.absentClass(facts, classes: classifier.weights.shape[0])
            scores.appendImage(predicted: maps.predicted.label, margin: maps.predicted.margin, absent: absent)
            let mask = try images.reader.foreground(image)
            for item in SegmentationCase.all {
                let label = item.query == .predicted ? maps.predicted.label : absent
                try scores.append(
                    maps.map(item.maker, class: label), mask: mask, size: size, rules: rules,
                    clipsNegatives: spec.clipsTextSpan && item.maker == .method(.textSpan))
            }
        }
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
