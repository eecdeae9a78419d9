import Inputs
import Pipeline

/// For one pair the pictures that fool the model most, a row a method, with what stands in them and by how much they fool it.
struct FoolingPicturesStep: StepDefinition {
    let spec: AdversarialSearchSpec
    let pair: Int
    let pictures: StepHandle<SearchPictures>
    let descriptions: StepHandle<SearchDescriptions>

    func step() throws -> Step<StoredGallery> {
        let (units, name) = (SearchUnit.all(spec), spec.pairs[pair].name)
        return Step(
            kind: "fooling-pictures", label: name, version: 4,
            parameters: ["pair": .text(name), "pairs": .texts(spec.pairs.map(\.name))],
            inputs: [pictures.erased, descriptions.erased],
            work: .single { inputs in
                let (pictures, descriptions) = (try inputs[pictures], try inputs[descriptions].descriptions)
                let rows = SearchMethod.allCases.map { method in
                    let fooling = units.indices.filter { units[$0].pair == pair && units[$0].method == method }
                        .flatMap { unit in (0..<spec.pictures).map { (unit, unit * spec.pictures + $0) } }
                        .filter { pictures.facts[$0.1].isFooling }
                        .sorted { (pictures.facts[$0.1].margin ?? 0, $1.1) > (pictures.facts[$1.1].margin ?? 0, $0.1) }
                    let cells = fooling.prefix(SearchPictures.kept).map { unit, index in
                        let facts = pictures.facts[index]
                        let words =
                            facts.objects.isEmpty ? descriptions[unit][facts.description].phrases : facts.objects
                        return Gallery.Cell(
                            pictures.image(index),
                            captions: [words.joined(separator: ", "), "+" + Self.decimals(facts.margin ?? 0)])
                    }
                    return Gallery.Row(
                        header: "\(method.title): \(fooling.count) of \(spec.repeats * spec.pictures)", cells: cells)
                }
                let gallery = Gallery(
                    title:
                        "\(name): pictures of \(spec.pairs[pair].shown) that are taken for \(spec.pairs[pair].mistakenFor)",
                    rows: rows, scale: max(1, 128 / pictures.size)
                )
                return try StoredGallery(gallery, named: "fooling-pictures")
            })
    }

    /// A number that is not negative, with three decimals.
    static func decimals(_ value: Float) -> String {
        let thousandths = Int((value * 1000).rounded())
        return "\(thousandths / 1000).\(String(1000 + thousandths % 1000).dropFirst())"
    }
}
