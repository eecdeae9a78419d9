import Inputs
import Pipeline

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
