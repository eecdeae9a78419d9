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
