import Attribution
import CLIPModel
import DenseMath
import Foundation
import Pipeline

/// `runner export maps`: heat maps of one method, for each picture and text.
public struct MapExport: PictureExport {
    /// Neurons of a second-order map in the paper.
    public static let neuronsPerText = 200

    public var method: AttributionMethod
    /// What the maps are of; none for a method that does not use them.
    public var texts: [String]
    /// Texts that have no map, but count in the mean that a text is compared with.
    public var contrastTexts: [String]
    /// Layers whose neurons a second-order map is made of; nil for the last three that have effects, which in a
    /// ViT-B/32 are those of the paper.
    public var layers: IndexSelection?
    /// Neurons of a second-order map, those with the largest |⟨r_n, text⟩|.
    public var neuronsPerText: Int

    public init(
        method: AttributionMethod, texts: [String], contrastTexts: [String] = [], layers: IndexSelection? = nil,
        neuronsPerText: Int = neuronsPerText
    ) {
        (self.method, self.texts, self.contrastTexts) = (method, texts, contrastTexts)
        (self.layers, self.neuronsPerText) = (layers, neuronsPerText)
    }

    let name = "maps"

    func check(_ configuration: CLIPConfiguration) throws {
        if method.usesClass {
            guard !texts.isEmpty else { throw ExportError.textsMissing(method: method.name) }
        } else if !(texts + contrastTexts).isEmpty {
            throw ExportError.textsNotUsed(method: method.name)
        }
        if method == .textSpan, texts.count + contrastTexts.count < 2 {
            throw ExportError.contrastMissing(method: method.name)
        }
        guard method.query == .neurons else { return }
        let readable = configuration.vision.layers - 1
        guard readable > 0, (layers?.largest ?? 0) < readable else {
            throw ExportError.noSecondOrderEffects(layer: layers?.largest ?? 0, layers: configuration.vision.layers)
        }
        if let layers, layers.indices() == nil { throw ExportError.repeatedIndex(selection: layers.text) }
    }

    private func chosenLayers(_ configuration: CLIPConfiguration) -> [Int] {
        let readable = configuration.vision.layers - 1
        return layers?.indices() ?? Array(max(0, readable - 3)..<readable)
    }

    func settings(_ configuration: CLIPConfiguration, images: Int) -> ExportDocument.Settings {
        var settings = ExportDocument.Settings(method: method.name)
        if !contrastTexts.isEmpty { settings.contrastTexts = contrastTexts }
        if method.query == .neurons {
            settings.layers = chosenLayers(configuration)
            settings.neuronsPerText = neuronsPerText
            settings.significantImages = min(SecondOrderExport.significantImages, images)
        }
        return settings
    }

    func tensors(_ configuration: CLIPConfiguration, images: Int) throws -> [ExportTensor] {
        guard method.query != .neurons || images > 1 else { throw ExportError.tooFewPictures(found: images, needed: 2) }
        let vision = configuration.vision
        let side = method.isOfPixels ? vision.imageSize : vision.gridSize
        return [
            ExportTensor(
                "maps",
                [
                    .init("images", images), .init("texts", max(texts.count, 1)), .init("rows", side),
                    .init("columns", side),
                ],
                unit: "the method's own; neither scaled nor clipped",
                meaning: method.usesClass
                    ? "how much each place of the picture speaks for the text"
                    : "what the model looks at; the method does not use texts, so that their axis has one index")
        ]
    }

    func plan(_ model: StudyModel, _ images: ImageSource, in graph: inout Graph) throws -> ExportWriter {
        let classes = texts + contrastTexts
        let classifier =
            classes.isEmpty ? nil : try graph.add(ClassifierStep(model: model, names: classes, templates: ["{}"]))
        var neurons: AttributionMapsStep.Neurons?
        if method.query == .neurons {
            let layers = chosenLayers(model.configuration)
            let fitted = try Study.Fitted(
                model, layers: layers, images: images, count: min(SecondOrderExport.significantImages, images.count),
                in: &graph)
            neurons = .init(directions: fitted.directions, layers: layers, perText: neuronsPerText)
        }
        let maps = try graph.add(
            AttributionMapsStep(
                model: model, images: images, method: method, texts: max(texts.count, 1), classifier: classifier,
                neurons: neurons))
        return { result, file in
            try result.artefact(maps).forEach { try file.write("maps", $0.values.elements, from: $1.lowerBound) }
        }
    }
}

/// Heat maps of one method, neither scaled nor clipped.
struct AttributionMaps: ColumnTable {
    /// // [images, texts · rows · columns]
    var values = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("values", \.values)]
}

/// Makes the maps of one method for every image and text.
struct AttributionMapsStep: ImageStep {
    typealias Part = AttributionMaps
    typealias Output = Shards<AttributionMaps>
    static let (kind, version) = ("attribution-maps", 1)
    /// Each map may take several times a forward pass, and the maps of all texts stand in memory together.
    var imagesPerShard: Int { max(1, min(50, (64 << 20) / bytesPerImage)) }
    private var bytesPerImage: Int {
        let vision = model.configuration.vision
        let side = method.isOfPixels ? vision.imageSize : vision.gridSize
        return 4 * texts * side * side
    }

    /// What second-order maps are made of.
    struct Neurons: Sendable {
        let directions: StepHandle<FittedDirections>
        let layers: [Int]
        /// Those with the largest |⟨r_n, text⟩|.
        let perText: Int
    }

    let model: StudyModel
    let images: ImageSource
    let method: AttributionMethod
    /// How many, the first of the classifier, have maps; 1 for a method that uses none.
    let texts: Int
    /// Nil for a method that uses no texts.
    let classifier: StepHandle<StoredClassifier>?
    let neurons: Neurons?

    var parameters: Parameters {
        [
            "method": .text(method.name), "texts": .integer(texts),
            "neuron-layers": neurons.map { .integers($0.layers) } ?? .null,
            "neurons": neurons.map { .integer($0.perText) } ?? .null,
        ]
    }
    var inputs: [AnyStepHandle] { [classifier?.erased, neurons?.directions.erased].compactMap { $0 } }
    var memory: MemoryEstimate? {
        model.surgeryMemory(inputSize: model.configuration.vision.imageSize, records: true).adding(
            parts: imagesPerShard * bytesPerImage)
    }
    var cost: CostEstimate? { model.passCost(towers: 3) }
    var none: AttributionMaps { AttributionMaps() }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<AttributionMaps> {
        let clip = try model.clip.value()
        // Methods that use no class still take a classifier; zeros change nothing.
        let weights =
            try classifier.map { try inputs[$0].weights } ?? Tensor(zeros: [1, model.configuration.embeddingWidth])
        let chosen = try neurons.map { neurons in
            let found = try ClassNeurons(
                inputs[neurons.directions], layers: neurons.layers, classifier: ZeroShotClassifier(weights: weights))
            return (0..<texts).map { found.largest(neurons.perText, of: $0) }
        }
        let workspace = AttributionWorkspace(
            clip.vision, classifier: weights, logitScale: exp(clip.logitScale), methods: [method])
        return images.each { part, image in
            let pass = try images.reader.withImages(image..<image + 1) { workspace.run($0) }
            guard pass.logits.allSatisfy(\.isFinite) else {
                throw ExperimentError.notFinite(image: images.set.imageID(image), place: "embedding")
            }
            var values: [Float] = []
            for text in 0..<texts {
                try inputs.checkCancellation()
                values += pass.map(method, for: MapQuery(label: text, neurons: chosen?[text])).values
            }
            guard values.allSatisfy(\.isFinite) else {
                throw ExperimentError.notFinite(image: images.set.imageID(image), place: "map")
            }
            try part.append(AttributionMaps(values: Tensor(shape: [1, values.count], elements: values)))
        }
    }
}
