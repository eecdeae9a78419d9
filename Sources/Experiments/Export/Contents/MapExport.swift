import Attribution
import CLIPModel
import DenseMath
import Foundation
import Lens
import Pipeline

/// `runner export maps`: heat maps of one method, for each picture and text.
public struct MapExport: PictureExporter {
    /// Of the paper: neurons of a second-order map.
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
        } else if !texts.isEmpty {
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

    private func chosenLayers(_ clip: CLIP) -> [Int] {
        let readable = clip.configuration.vision.layers - 1
        return layers?.indices() ?? Array(max(0, readable - 3)..<readable)
    }

    func settings(_ clip: CLIP, images: Int) -> ExportDocument.Settings {
        var settings = ExportDocument.Settings(method: method.name)
        if !contrastTexts.isEmpty { settings.contrastTexts = contrastTexts }
        if method.query == .neurons {
            settings.layers = chosenLayers(clip)
            settings.neuronsPerText = neuronsPerText
            settings.significantImages = min(SecondOrderExport.significantImages, images)
        }
        return settings
    }

    func tensors(_ clip: CLIP, images: Int) throws -> [ExportTensor] {
        guard method.query != .neurons || images > 1 else { throw ExportError.tooFewPictures(found: images, needed: 2) }
        let side = side(clip)
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

    /// Pixels for the one method that goes back to them, else patches.
    private func side(_ clip: CLIP) -> Int {
        method.isOfPixels ? clip.configuration.vision.imageSize : clip.configuration.vision.gridSize
    }

    func compute(_ clip: CLIP, _ pictures: PreparedPictures, into file: ExportFile, _ work: ExportWork) throws {
        let maps = file.rows("maps")
        let (method, texts) = (method, max(texts.count, 1))
        let classes = self.texts + contrastTexts
        // Methods that use no class still take a classifier; zeros change nothing.
        let weights = classes.isEmpty ? Tensor(zeros: [1, clip.vision.embeddingWidth]) : clip.embed(texts: classes)
        let neurons = method.query == .neurons ? try neurons(clip, weights, pictures, work) : []
        try work.forEachBatch(of: pictures, capacity: 1, stage: "images") {
            let workspace = AttributionWorkspace(
                clip.vision, classifier: weights, logitScale: exp(clip.logitScale), methods: [method])
            var values: [Float] = []
            return { range, pixels in
                let pass = workspace.run(pixels)
                try pictures.checkFinite(
                    pass.representation, width: clip.vision.embeddingWidth, of: range, place: "embedding")
                values.removeAll(keepingCapacity: true)
                for text in 0..<texts {
                    try work.cancellation.check()
                    let query = MapQuery(label: text, neurons: neurons.isEmpty ? nil : neurons[text])
                    let map = pass.map(method, for: query)
                    values += map.values
                }
                try maps.write(values, rows: range)
            }
        }
    }

    /// The neurons of each text's map, by directions that are fitted to the pictures themselves.
    private func neurons(
        _ clip: CLIP, _ classifier: Tensor, _ pictures: PreparedPictures, _ work: ExportWork
    ) throws -> [[(layer: Int, neuron: Int)]] {
        let directions = try MapDirections.fit(layers: chosenLayers(clip), clip, pictures, work)
        let chosen = try ClassNeurons(
            directions, layers: chosenLayers(clip), classifier: ZeroShotClassifier(weights: classifier))
        return texts.indices.map { chosen.largest(neuronsPerText, of: $0) }
    }
}
