import Attribution
import CLIPModel
import Foundation
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
    var memory: MemoryEstimate? { model.segmentationMemory(layers: layers, records: true) }
    var cost: CostEstimate? { model.passCost(towers: 20) }
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
        let chosen = spec.neuronLayers
        layerSets = layers.map { [$0] } + (chosen.count > 1 ? [chosen] : [])
        tableSet = layerSets.firstIndex(of: chosen) ?? 0
        neurons = spec.sensitivity.neurons
        thresholds = spec.sensitivity.thresholds
    }

    var cases: Int { layerSets.count * neurons.count }

    func index(layerSet: Int, neurons position: Int) -> Int { layerSet * neurons.count + position }

    static func name(_ layers: [Int]) -> String { layers.map(String.init).joined(separator: "+") }
}

/// Scores second-order maps of other numbers of neurons and other layers.
struct SensitivityStep: ImageStep {
    typealias Output = SegmentationScores
    static let (kind, version) = ("segmentation-sensitivity", 3)
    let imagesPerShard = 50

    let model: StudyModel
    let images: ImageSource
    let classifier: StepHandle<StoredClassifier>
    let directions: StepHandle<FittedDirections>
    let grid: SensitivityGrid
    /// All that the study has.
    let layers: [Int]

    private var rules: [ForegroundRule] { grid.thresholds.map { .above(Float($0)) } }
    var parameters: Parameters {
        [
            "neurons": .integers(grid.neurons), "layer-sets": .list(grid.layerSets.map { .integers($0) }),
            "thresholds": .list(grid.thresholds.map { .number($0) }), "images": .integer(images.count),
        ]
    }
    var inputs: [AnyStepHandle] { [classifier.erased, directions.erased] }
    var memory: MemoryEstimate? { model.segmentationMemory(layers: layers, records: false) }
    var cost: CostEstimate? { model.passCost(towers: 5) }
    var none: SegmentationScores { SegmentationScores(cases: grid.cases, rules: grid.thresholds.count) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<SegmentationScores> {
        let (classifier, directions) = (try inputs[classifier].classifier, try inputs[directions])
        let (clip, size, rules) = (try model.clip.value(), model.configuration.vision.imageSize, rules)
        let workspace = AttributionWorkspace(
            clip.vision, classifier: classifier.weights, logitScale: exp(clip.logitScale), methods: [])
        let sets = try grid.layerSets.map { try ClassNeurons(directions, layers: $0, classifier: classifier) }
        return images.each { scores, image in
            let pass = try images.reader.withImages(image..<image + 1) { workspace.run($0) }
            let logits = pass.logits
            guard logits.allSatisfy(\.isFinite), let label = logits.indices.max(by: { logits[$0] < logits[$1] })
            else { throw ExperimentError.notFinite(image: images.set.imageID(image), place: "logits") }
            scores.appendImage(predicted: label, margin: 0, absent: label)
            let mask = try images.reader.foreground(image)
            for set in sets {
                // The largest set of neurons holds the others, in order.
                let neurons = set.largest(grid.neurons.last ?? 1, of: label)
                for count in grid.neurons {
                    try scores.append(
                        pass.secondOrderMap(neurons: Array(neurons.prefix(count))), mask: mask, size: size, rules: rules
                    )
                }
            }
        }
    }
}
