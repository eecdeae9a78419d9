import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Pipeline
import Safetensors

/// How the model takes the pictures of some searches, and those that fool it most.
struct SearchPictures: Artefact {
    /// What is known of a picture beside its pixels.
    struct Facts: Codable, Sendable {
        /// Index of its description in the search.
        var description: Int
        /// What was placed beside the shown class, where the generator knows.
        var objects: [String]
        /// Why there is no picture.
        var failure: PictureFailure?
        /// ⟨r(I)/‖r(I)‖, text(c₂) − text(c₁)⟩: above zero, the picture is taken for the second class.
        var margin: Float?

        var isFooling: Bool { (margin ?? 0) > 0 }
    }

    /// Pictures that are kept of each search at most: those of all would take gigabytes for a large model.
    static let kept = 8

    let size: Int
    private(set) var facts: [Facts] = []
    /// Which pictures are kept, in the order of their pixels.
    private var places: [Int32] = []
    /// 8-bit RGB. // [places, size, size, 3]
    private var pixels = Data()

    init(size: Int) { self.size = size }

    init(_ stored: StoredArtefact) throws {
        let tensor = try stored.tensor("pixels")
        let text = stored.metadata("facts") ?? ""
        let facts = try ArtefactJSON.decode([Facts].self, from: Data(text.utf8))
        let places = try stored.tensor("places").int32s()
        guard tensor.shape.count == 4, tensor.shape[0] == places.count, tensor.shape[1] == tensor.shape[2],
            tensor.shape[3] == 3, tensor.type == .uint8, places.allSatisfy({ facts.indices.contains(Int($0)) })
        else {
            throw PipelineError.invalidArtefact(
                part: "pixels", reason: "shape \(tensor.shape) for \(places.count) pictures")
        }
        size = tensor.shape[1]
        (self.facts, self.places, pixels) = (facts, places, tensor.data)
    }

    func stored() throws -> StoredArtefact {
        .tensors(
            [
                "pixels": try StoredTensor(type: .uint8, shape: [places.count, size, size, 3], data: pixels),
                "places": try StoredTensor(places, shape: [places.count]),
            ], metadata: ["facts": String(decoding: try ArtefactJSON.encode(facts), as: UTF8.self)])
    }

    /// Adds the pictures of a search, and keeps those that fool the model most.
    mutating func append(_ search: [(image: RGBImage?, facts: Facts)]) {
        let fooling = search.indices.filter { search[$0].facts.isFooling }
            .sorted { (search[$0].facts.margin ?? 0, $1) > (search[$1].facts.margin ?? 0, $0) }
        for index in fooling.prefix(Self.kept).sorted() {
            guard let image = search[index].image else { continue }
            places.append(Int32(facts.count + index))
            pixels += image.pixels
        }
        facts += search.map(\.facts)
    }

    mutating func append(_ next: SearchPictures) {
        places += next.places.map { $0 + Int32(facts.count) }
        pixels += next.pixels
        facts += next.facts
    }

    /// - Returns: nil for a picture that was not kept.
    func image(_ index: Int) -> RGBImage? {
        guard let place = places.firstIndex(of: Int32(index)) else { return nil }
        let bytes = size * size * 3
        return RGBImage(width: size, height: size, pixels: Array(pixels.dropFirst(place * bytes).prefix(bytes)))
    }
}

/// Has pictures made of each search's descriptions, and shows them to the model.
///
/// It throws ``ExperimentError/notFinite(image:place:)`` and `SearchError`.
struct SearchPicturesStep: StepDefinition {
    let model: StudyModel
    let classNames: [String]
    let spec: AdversarialSearchSpec
    let descriptions: StepHandle<SearchDescriptions>
    let classifier: StepHandle<StoredClassifier>
    /// One for all workers: a command holds a model of its own.
    let generator: any PictureGenerator

    private var size: Int { model.configuration.vision.imageSize }

    func step() throws -> Step<SearchPictures> {
        let units = SearchUnit.all(spec)
        var parameters: Parameters = [
            "pairs": .texts(spec.pairs.map(\.name)), "images-each": .integer(spec.imagesEach), "size": .integer(size),
            "seed": .integer(spec.study.seed),
        ]
        for (name, value) in generator.identity { parameters["generator-\(name)"] = .text(value) }
        return Step(
            kind: "search-pictures", version: 2, parameters: parameters,
            inputs: [descriptions.erased, classifier.erased], digests: ["model": model.digest],
            memory: memory(searches: units.count), cost: cost,
            work: try .map(
                units: units.count, unitsPerShard: 1,
                makeWorker: { inputs in
                    let (descriptions, classifier) = (
                        try inputs[descriptions].descriptions, try inputs[classifier].classifier
                    )
                    let vision = try model.clip.value().vision
                    let workspace = VisionWorkspace(vision, capacity: model.batch)
                    return { shard in
                        let unit = units[shard.units.lowerBound]
                        let drawn = try draw(unit, descriptions[shard.units.lowerBound], inputs)
                        var pictures = SearchPictures(size: size)
                        pictures.append(
                            try judge(
                                drawn, of: unit, along: direction(spec.pairs[unit.pair], classifier), vision, workspace)
                        )
                        return pictures
                    }
                },
                reduce: { _, parts in
                    var all = SearchPictures(size: size)
                    try parts.forEach { _, part in all.append(part) }
                    return all
                }))
    }

    private typealias Drawn = (image: RGBImage?, facts: SearchPictures.Facts)

    private func draw(_ unit: SearchUnit, _ descriptions: [PictureDescription], _ inputs: StepInputs) throws -> [Drawn]
    {
        let pair = spec.pairs[unit.pair]
        let requests = (0..<spec.pictures).map { picture in
            // The same seeds for every method, so that searches differ by their phrases only.
            var random = SplitMix64(
                seed: UInt64(spec.study.seed), label: "pictures of \(pair.name)",
                index: UInt64(unit.repeat * spec.pictures + picture))
            return PictureRequest(
                id: "\(pair.name)/\(unit.repeat)/\(picture)", prompt: descriptions[picture / spec.imagesEach],
                shown: pair.shown, forbidden: pair.mistakenFor, seed: random.next() & 0xFFFF_FFFF, size: size)
        }
        let outcomes = try generator.pictures(requests) { inputs.isCancelled }
        // A shard with pictures that nobody waited for is not to be stored.
        try inputs.checkCancellation()
        return outcomes.enumerated().map { picture, outcome in
            let description = picture / spec.imagesEach
            switch outcome {
            case .success(let made): return (made.image, .init(description: description, objects: made.objects))
            case .failure(let failure): return (nil, .init(description: description, objects: [], failure: failure))
            }
        }
    }

    /// The pictures with the model's margins.
    private func judge(
        _ drawn: [Drawn], of unit: SearchUnit, along v: [Float], _ vision: VisionTransformer,
        _ workspace: VisionWorkspace
    ) throws -> [Drawn] {
        var judged = drawn
        for start in stride(from: 0, to: drawn.count, by: workspace.capacity) {
            let batch = start..<min(start + workspace.capacity, drawn.count)
            let margins = margins(drawn[batch].map(\.image), along: v, vision, workspace)
            for (index, margin) in zip(batch, margins) where drawn[index].image != nil {
                guard margin.isFinite else {
                    throw ExperimentError.notFinite(image: unit.pictureID(index, spec), place: "embedding")
                }
                judged[index].facts.margin = margin
            }
        }
        return judged
    }

    /// A scene takes a part of the time of the tower that looks at it; nobody can tell how long a program takes.
    private var cost: CostEstimate? {
        guard generator is SceneGenerator else { return nil }
        return model.imageCost(perUnit: Double(spec.pictures) * 1.3 * model.operations.forward)
    }

    /// The kept pictures of all searches stand in memory when they are joined: as shards, together, and as the
    /// bytes of the artefact.
    private func memory(searches: Int) -> MemoryEstimate {
        let picture = size * size * 3
        var memory = model.memory(layers: [])
        memory.shared += 3 * searches * min(SearchPictures.kept, spec.pictures) * picture
        memory.perWorker += 2 * spec.pictures * picture
        return memory
    }

    /// text(c₂) − text(c₁). // [d]
    private func direction(_ pair: ClassPair, _ classifier: ZeroShotClassifier) -> [Float] {
        guard let from = classNames.firstIndex(of: pair.shown), let to = classNames.firstIndex(of: pair.mistakenFor)
        else {
            preconditionFailure("the spec's reader lets only known classes pass")
        }
        return zip(classifier.weights[row: to], classifier.weights[row: from]).map { $0 - $1 }
    }

    /// ⟨r/‖r‖, v⟩ of each picture; of those that are missing, that of a black one.
    private func margins(
        _ images: [RGBImage?], along v: [Float], _ vision: VisionTransformer, _ workspace: VisionWorkspace
    ) -> [Float] {
        let bytes = images.flatMap { $0?.pixels ?? [UInt8](repeating: 0, count: size * size * 3) }
        let pass = vision(bytes, batch: images.count, workspace)
        let d = vision.embeddingWidth
        return images.indices.map { image in
            let r = pass.embeddings + image * d
            return BLAS.dot(r, v, count: d) / BLAS.dot(r, r, count: d).squareRoot()
        }
    }
}

extension SearchPicturesStep {
    /// - Throws: `SearchError` where the generator cannot show one of the pairs.
    init(
        _ study: Study, _ spec: AdversarialSearchSpec, descriptions: StepHandle<SearchDescriptions>,
        classifier: StepHandle<StoredClassifier>
    ) throws {
        let generator = try spec.generator.generator(study.classes)
        for pair in spec.pairs { try generator.check(shown: pair.shown, forbidden: pair.mistakenFor) }
        self.init(
            model: study.model, classNames: study.classes.names, spec: spec, descriptions: descriptions,
            classifier: classifier, generator: generator)
    }
}

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
