import Inputs
import Pipeline

/// The first images that show several labels, their masks, and what every reading makes of them among these labels.
struct OpenVocabularyOverlaysStep: StepDefinition {
    let study: PictureStudy
    /// Blocks of surgery.
    let depth: Int
    let classifier: StepHandle<StoredClassifier>
    /// Images that are shown at most.
    let count: Int

    func step() throws -> Step<StoredGallery> {
        let (images, model, size) = (study.images, study.model, study.inputSize)
        let (readings, names) = (OpenVocabularyCase.readings(depth: depth), study.classes.names)
        return Step(
            kind: "open-vocabulary-overlays", version: 2,
            parameters: [
                "readings": .texts(readings.map(\.key)), "input-size": .integer(size), "images": .integer(count),
                "title": .text(images.name.name),
            ],
            inputs: [images.images.erased, images.facts.erased, classifier.erased], digests: ["model": model.digest],
            memory: model.surgeryMemory(inputSize: size, pictures: count * (2 + readings.count)),
            work: .single { inputs in
                let (reader, facts) = (ImageReader(try inputs[images.images]), try inputs[images.facts])
                let tokens = TokenReader(
                    try model.clip.value().vision.resized(to: size), readings,
                    classifier: try inputs[classifier].classifier.weights)
                var rows: [Gallery.Row] = []
                for index in 0..<images.count where rows.count < count {
                    try inputs.checkCancellation()
                    let (image, mask) = (try reader.image(index), try reader.mask(index))
                    let shown = ShownLabels.of(facts[index], mask: mask)
                    guard shown.count > 1 else { continue }
                    let found = try tokens.run(reader, index, of: images.name)
                    func tinted(_ labels: [Int32]) -> Gallery.Cell {
                        Gallery.Cell(
                            image.tinted(
                                by: labels.map { label in UInt8(1 + (shown.firstIndex(of: Int(label)) ?? -1)) }))
                    }
                    try rows.append(
                        Gallery.Row(
                            header: shown.map { names[$0] }.joined(separator: ", "),
                            cells: [.init(image), tinted(ShownLabels.labels(facts[index], mask: mask))]
                                + readings.map { tinted(try found.labels($0, among: shown)) }))
                }
                let gallery = Gallery(
                    title: "\(images.name.name) · among the labels of the left column, in the order red, blue, green …",
                    columnHeaders: ["image", "masks"] + readings.map(\.title), rows: rows,
                    scale: max(1, 128 / size)
                )
                return try StoredGallery(gallery, named: "open-vocabulary-overlays")
            })
    }
}
