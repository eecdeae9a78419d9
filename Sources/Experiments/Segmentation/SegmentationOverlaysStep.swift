import Attribution
import CLIPModel
import Inputs
import Pipeline

/// The first scenes with their masks and every method's map, as one picture.
struct SegmentationOverlaysStep: StepDefinition {
    let model: StudyModel
    let images: ImageSource
    let classifier: StepHandle<StoredClassifier>
    let directions: StepHandle<FittedDirections>
    let spec: SegmentationSpec
    /// Layers of the neurons that a second-order map is made of.
    let layers: [Int]
    /// Names of the classes.
    let names: [String]

    func step() throws -> Step<StoredGallery> {
        let (seed, count) = (spec.study.seed, min(spec.overlays, images.count))
        return Step(
            kind: "segmentation-overlays", version: 3,
            parameters: [
                "neurons": .integer(spec.neurons), "neuron-layers": .integers(layers), "images": .integer(count),
                "title": .text(images.name.name), "methods": .texts(AttributionMethod.all.map(\.name)),
                "seed": .integer(seed),
            ],
            inputs: [images.images.erased, images.facts.erased, classifier.erased, directions.erased],
            digests: ["model": model.digest],
            work: .single { inputs in
                let (reader, classifier) = (ImageReader(try inputs[images.images]), try inputs[classifier].classifier)
                let (facts, size) = (try inputs[images.facts], model.configuration.vision.imageSize)
                let mapper = SegmentationMapper(
                    try model.clip.value(), classifier: classifier,
                    neurons: try ClassNeurons(try inputs[directions], layers: layers, classifier: classifier),
                    count: spec.neurons, seed: seed)
                let rows = try (0..<count).map { index in
                    try inputs.checkCancellation()
                    let maps = try mapper.run(reader, index, of: images.name)
                    let image = try reader.image(index)
                    func overlay(_ method: AttributionMethod, _ label: Int) -> Gallery.Cell {
                        let map = maps.map(.method(method), class: label).resized(to: size).normalised()
                        return Gallery.Cell(image.overlaid(with: map.values))
                    }
                    let label = maps.predicted.label
                    let absent = maps.absentClass(facts, classes: names.count)
                    let truth = Int(facts.labels[index])
                    return Gallery.Row(
                        header: label == truth
                            ? names[label]
                            : truth < 0
                                ? "\(names[label]), in truth none of the classes"
                                : "\(names[label]), in truth \(names[truth])",
                        cells: [.init(image), .init(image.tinted(by: try reader.mask(index)))]
                            + AttributionMethod.all.map { overlay($0, label) }
                            + [
                                Gallery.Cell(
                                    overlay(.secondOrder, absent).image, captions: [names[absent]])
                            ])
                }
                let gallery = Gallery(
                    title: "\(images.name.name) · maps of the class that the model predicts",
                    columnHeaders: ["image", "mask: main object red"] + AttributionMethod.all.map(\.name)
                        + ["second-order, a class that is absent"],
                    rows: rows, scale: max(1, 128 / size)
                )
                return try StoredGallery(gallery, named: "segmentation-overlays")
            })
    }
}
