import Attribution
import Inputs
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
    func mapper(_ cases: [ExplainabilityCase], _ inputs: StepInputs) throws -> LabelMapper {
        let classifier = try inputs[classifier].classifier
        return try LabelMapper(
            study.model.clip.value(), cases, classifier: classifier.weights, empty: inputs[empty].classifier.weights,
            secondOrder: secondOrder.map {
                .init(
                    neurons: try ClassNeurons(inputs[$0.directions], layers: $0.layers, classifier: classifier),
                    count: $0.neurons)
            }, size: study.inputSize, seed: study.setting.seed)
    }
}

/// Scores the map of every label that an image shows, by every case, against the label's pixels.
struct ExplainabilityStep: ImageStep {
    typealias Part = ExplainabilityPart
    typealias Output = ExplainabilityScores
    static let (kind, version) = ("explainability", 2)
    let imagesPerShard = 50

    let source: ExplainabilityInputs
    let cases: [ExplainabilityCase]
    let label: String
    /// The first of the study.
    let count: Int

    var model: StudyModel { source.study.model }
    var images: ImageSource {
        var images = source.study.images
        images.count = count
        return images
    }
    var parameters: Parameters {
        source.parameters.merging(["cases": .texts(cases.map(\.key)), "images": .integer(count)]) { $1 }
    }
    var inputs: [AnyStepHandle] { Array(source.handles.dropFirst()) }
    private var attributions: Int { cases.count { if case .attribution = $0 { true } else { false } } }
    var memory: MemoryEstimate? { model.surgeryMemory(inputSize: source.study.inputSize, records: attributions > 0) }
    var cost: CostEstimate? {
        model.surgeryCost(inputSize: source.study.inputSize, paths: Double(cases.count), attributions: attributions)
    }
    var none: ExplainabilityPart { ExplainabilityPart(cases: cases.count) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<ExplainabilityPart> {
        let (facts, mapper) = (try inputs[self.images.facts], try source.mapper(cases, inputs))
        return images.each { part, image in
            let maps = try mapper.run(images.reader, image, of: images.set)
            part.appendImage(predicted: maps.answer.label, margin: maps.answer.margin)
            let mask = try images.reader.mask(image)
            let objects = facts[image].objects.map(Int.init)
            for label in ShownLabels.of(facts[image], mask: mask) {
                try part.appendLabel(
                    label, mask: ShownLabels.mask(of: label, facts[image], mask: mask),
                    maps: cases.map { try maps.map($0, of: label, shown: objects) })
            }
        }
    }

    func work(
        _ makeWorker: @escaping @Sendable (StepInputs) throws -> (Shard) throws -> ExplainabilityPart
    ) throws -> Work<ExplainabilityScores> {
        try joined(makeWorker) { try ExplainabilityScores($0, cases: cases.count) }
    }
}

/// The first images, a row for each label they show, with their masks and every map, as one picture.
struct ExplainabilityOverlaysStep: StepDefinition {
    let source: ExplainabilityInputs
    let cases: [ExplainabilityCase]
    /// The first of the study.
    let count: Int

    func step() throws -> Step<StoredGallery> {
        let (images, names, size) = (source.study.images, source.study.classes.names, source.study.inputSize)
        return Step(
            kind: "explainability-overlays", version: 2,
            parameters: source.parameters.merging([
                "cases": .texts(cases.map(\.key)), "images": .integer(count), "title": .text(images.name.name),
            ]) { $1 },
            inputs: source.handles, digests: ["model": source.study.model.digest],
            memory: source.study.model.surgeryMemory(
                inputSize: size, records: true, pictures: 3 * count * (2 + cases.count)),
            work: .single { inputs in
                let (reader, facts) = (ImageReader(try inputs[images.images]), try inputs[images.facts])
                let mapper = try source.mapper(cases, inputs)
                var rows: [Gallery.Row] = []
                for index in 0..<count {
                    try inputs.checkCancellation()
                    let maps = try mapper.run(reader, index, of: images.name)
                    let (image, mask) = (try reader.image(index), try reader.mask(index))
                    let shown = ShownLabels.of(facts[index], mask: mask)
                    for label in shown {
                        let own = ShownLabels.mask(of: label, facts[index], mask: mask)
                        try rows.append(
                            Gallery.Row(
                                header: names[label],
                                cells: [.init(image), .init(image.tinted(by: own.map { $0 == 1 ? 1 : 0 }))]
                                    + cases.map { item -> Gallery.Cell in
                                        let map = try maps.map(
                                            item, of: label, shown: facts[index].objects.map(Int.init))
                                        let cell = image.overlaid(with: map)
                                        guard case .absentLabel = item else { return Gallery.Cell(cell) }
                                        return Gallery.Cell(
                                            cell,
                                            captions: [names[maps.absentLabel(facts[index].objects.map(Int.init))]])
                                    }))
                    }
                }
                let gallery = Gallery(
                    title: "\(images.name.name) · maps of the labels that images show",
                    columnHeaders: ["image", "label's pixels red"] + cases.map(\.title),
                    rows: rows, scale: max(1, 128 / size)
                )
                return try StoredGallery(gallery, named: "explainability-overlays")
            })
    }
}
