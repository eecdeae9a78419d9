import Attribution
import CLIPModel
import DenseMath
import Pipeline

/// Reads labels off the tokens of one image after the other. Belongs to one worker.
final class TokenReader {
    private let workspace: SurgeryWorkspace
    fileprivate let classifier: Tensor
    fileprivate let empty: Tensor?

    /// - Parameters:
    ///   - vision: of the size of the images.
    ///   - classifier: unit rows. // [K, d]
    ///   - empty: the empty text, a unit row, where a reading compares with it. // [1, d]
    init(_ vision: VisionTransformer, _ readings: [TokenReading], classifier: Tensor, empty: Tensor? = nil) {
        workspace = SurgeryWorkspace(vision, recipes: Array(Set([.plain] + readings.map(\.recipe))), capacity: 1)
        (self.classifier, self.empty) = (classifier, empty)
    }

    /// Runs image `index` of a set.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `PipelineError.damaged`.
    func run(_ reader: ImageReader, _ index: Int, of images: ImageSet) throws -> ImageTokens {
        try reader.withImages(index..<index + 1) { try run($0, named: images.imageID(index)) }
    }

    /// Runs one image of the tower's size, 8-bit RGB. // [size, size, 3]
    /// - Parameter name: for errors.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func run(_ image: UnsafePointer<UInt8>, named name: String) throws -> ImageTokens {
        try ImageTokens(workspace.run(image, batch: 1), self, name)
    }
}

/// What the tokens of an image say of labels. Holds until its reader runs again.
final class ImageTokens {
    /// The model's own answer, and by how much cosine it leads.
    private(set) var answer = (label: 0, margin: Float(0))
    private let pass: SurgeryPass
    private let reader: TokenReader
    private let name: String
    private var similarities: [TokenReading: Tensor] = [:]
    private var cosines: [SurgeryRecipe: (labels: Tensor, empty: [Float])] = [:]

    private var layout: TokenLayout { pass.vision.layout }

    fileprivate init(_ pass: SurgeryPass, _ reader: TokenReader, _ name: String) throws {
        (self.pass, self.reader, self.name) = (pass, reader, name)
        guard UnsafeBufferPointer(start: pass.representations, count: pass.vision.embeddingWidth).allSatisfy(\.isFinite)
        else {
            throw ExperimentError.notFinite(image: name, place: "embedding")
        }
        guard let answer = ZeroShotClassifier.best(of: try ofImage(.clip)[...]) else {
            throw ExperimentError.notFinite(image: name, place: "similarities")
        }
        self.answer = answer
    }

    /// Similarities of every token with every label. // [T, K]
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func similarities(_ reading: TokenReading) throws -> Tensor {
        if let known = similarities[reading] { return known }
        let cosines = try cosines(reading.recipe)
        let result =
            switch reading.features {
            case .plain: cosines.labels
            case .amongLabels:
                FeatureSurgery.amongLabels(cosines.labels, of: cosines.labels[row: layout.classToken])
            case .singleText: FeatureSurgery.single(cosines.labels, empty: cosines.empty)
            }
        similarities[reading] = result
        return result
    }

    /// Those of the image as a whole. // [K]
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func ofImage(_ reading: TokenReading) throws -> [Float] { Array(try similarities(reading)[row: layout.classToken]) }

    /// The patches' similarities with a label, among those with all labels.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func map(_ reading: TokenReading, of label: Int) throws -> HeatMap {
        let similarities = try similarities(reading)
        return HeatMap(
            side: layout.side,
            values: layout.patchRows.map { similarities.elements[$0 * similarities.rowWidth + label] })
    }

    /// The label of each pixel. // [size · size]
    /// - Parameter labels: what to choose among; nil for all.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func labels(_ reading: TokenReading, among labels: [Int]?) throws -> [Int32] {
        ArgmaxLabels.of(
            try similarities(reading), layout, among: labels ?? Array(0..<reader.classifier.shape[0]),
            size: pass.vision.configuration.imageSize)
    }

    private func cosines(_ recipe: SurgeryRecipe) throws -> (labels: Tensor, empty: [Float]) {
        if let known = cosines[recipe] { return known }
        let (tokens, d) = (pass.vision.tokens, pass.vision.embeddingWidth)
        let raw = Tensor(
            shape: [tokens, d], elements: Array(UnsafeBufferPointer(start: pass.embed(recipe), count: tokens * d)))
        guard raw.elements.allSatisfy(\.isFinite) else { throw ExperimentError.notFinite(image: name, place: "tokens") }
        let embedded = raw.rowsNormalised()
        let result = (
            labels: embedded.times(reader.classifier, transposed: true),
            empty: reader.empty.map { embedded.times($0, transposed: true).elements } ?? []
        )
        cosines[recipe] = result
        return result
    }
}

/// How labels are read off the tokens of an image: by which path through the tower, and with which similarities.
struct TokenReading: Sendable, Hashable {
    /// In rows and files.
    let name: String
    /// In tables and pictures.
    let title: String
    let recipe: SurgeryRecipe
    let features: LabelFeatures

    static let clip = TokenReading(name: "clip", title: "CLIP, as it is", recipe: .plain, features: .plain)
    static let featureSurgery = TokenReading(
        name: "feature-surgery", title: "feature surgery only", recipe: .plain, features: .amongLabels)

    static func architectureSurgery(depth: Int) -> TokenReading {
        TokenReading(
            name: "architecture-surgery", title: "architecture surgery only", recipe: .surgery(depth: depth),
            features: .plain)
    }

    static func surgery(depth: Int) -> TokenReading {
        TokenReading(
            name: "clip-surgery", title: "CLIP Surgery", recipe: .surgery(depth: depth), features: .amongLabels)
    }

    static func singleText(depth: Int) -> TokenReading {
        TokenReading(
            name: "clip-surgery-single-text", title: "CLIP Surgery, single text", recipe: .surgery(depth: depth),
            features: .singleText)
    }

    /// The recipes of other papers, as those read them.
    static func variants(depth: Int) -> [TokenReading] {
        [
            ("MaskCLIP", SurgeryRecipe.maskCLIP), ("SCLIP", .sclip), ("ClearCLIP", .clearCLIP), ("NACLIP", .naclip),
            ("GEM", .gem(depth: depth)),
        ].map { TokenReading(name: $1.name, title: $0, recipe: $1, features: .plain) }
    }
}

extension TokenReading {
    /// All that decides a number, for the key of a step.
    var key: String {
        "\(recipe.attention), last \(recipe.depth), residual \(recipe.keepsResidual), mlp \(recipe.keepsMLP), \(features.rawValue)"
    }
}

extension StudyModel {
    /// Memory of second paths for one image of a size after the other.
    /// - Parameters:
    ///   - records: attribution methods keep everything of a pass.
    ///   - pictures: of the size of the input that stand in memory, in what is drawn and in the table of them.
    func surgeryMemory(inputSize: Int, records: Bool = false, pictures: Int = 0) -> MemoryEstimate {
        var vision = configuration.vision
        vision.imageSize = inputSize
        let (T, D, N, L, H) = (vision.tokens, vision.width, vision.mlpWidth, vision.layers, vision.heads)
        // Residual streams, projections of the last blocks, attention; of a record every layer's, twice for gradients.
        let paths = T * (8 * D + N + L * 4 * D) + 2 * T * T
        let record = records ? 2 * L * (3 * H * T * T + T * (8 * D + 2 * N)) : 0
        return MemoryEstimate(
            shared: memory(layers: [], []).shared + 2 * pictures * 3 * max(inputSize, 128) * max(inputSize, 128),
            perWorker: 4 * (paths + record))
    }

    /// Time of second paths beside the tower, a rough figure which finished steps of the kind correct.
    func surgeryCost(inputSize: Int, paths: Double, attributions: Int = 0) -> CostEstimate {
        var vision = configuration.vision
        vision.imageSize = inputSize
        let work = TransformerWork(vision, batch: 1)
        let forward = Double(vision.layers) * work.operations
        return CostEstimate(work, perUnit: forward * (1 + 0.2 * paths + (attributions > 0 ? 13 : 0)))
    }
}
