import Attribution
import CLIPModel
import DenseMath
import Pipeline

/// Reads labels off the tokens of one image after the other. Belongs to one worker.
final class TokenReader {
    private let pass: SurgeryPass
    var layout: TokenLayout { pass.vision.layout }
    private let classifier: Tensor
    private let empty: Tensor?
    /// Of the image that ran last, by recipe.
    private var cosines: [SurgeryRecipe: Tensor] = [:]
    private var emptyCosines: [SurgeryRecipe: [Float]] = [:]
    private var name = ""

    /// - Parameters:
    ///   - vision: of the size of the images.
    ///   - classifier: unit rows. // [K, d]
    ///   - empty: the empty text, a unit row, where a reading compares with it. // [1, d]
    init(_ vision: VisionTransformer, _ readings: [TokenReading], classifier: Tensor, empty: Tensor? = nil) {
        pass = SurgeryPass(vision, recipes: Array(Set([.plain] + readings.map(\.recipe))), capacity: 1)
        (self.classifier, self.empty) = (classifier, empty)
    }

    /// Runs image `index` of a set.
    /// - Returns: the model's own answer, and by how much cosine it leads.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `PipelineError.damaged`.
    @discardableResult
    func run(_ reader: ImageReader, _ index: Int, of images: ImageSet) throws -> (label: Int, margin: Float) {
        try reader.withImages(index..<index + 1) { pass.run($0, batch: 1) }
        return try answer(images.imageID(index))
    }

    /// Runs one image of the tower's size, 8-bit RGB. // [size, size, 3]
    /// - Parameter name: for errors.
    /// - Returns: the model's own answer, and by how much cosine it leads.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    @discardableResult
    func run(_ image: UnsafePointer<UInt8>, named name: String) throws -> (label: Int, margin: Float) {
        pass.run(image, batch: 1)
        return try answer(name)
    }

    private func answer(_ name: String) throws -> (label: Int, margin: Float) {
        cosines.removeAll(keepingCapacity: true)
        emptyCosines.removeAll(keepingCapacity: true)
        self.name = name
        guard UnsafeBufferPointer(start: pass.representations, count: pass.vision.embeddingWidth).allSatisfy(\.isFinite)
        else {
            throw ExperimentError.notFinite(image: name, place: "embedding")
        }
        guard let answer = ZeroShotClassifier.best(of: try similarities(.clip)[row: layout.classToken]) else {
            throw ExperimentError.notFinite(image: name, place: "similarities")
        }
        return answer
    }

    /// Similarities of every token with every label. // [T, K]
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func similarities(_ reading: TokenReading) throws -> Tensor {
        let cosines = try cosines(reading.recipe)
        switch reading.features {
        case .plain: return cosines
        case .amongLabels: return FeatureSurgery.amongLabels(cosines, of: cosines[row: layout.classToken])
        case .singleText: return FeatureSurgery.single(cosines, empty: emptyCosines[reading.recipe] ?? [])
        }
    }

    /// The patches' similarities with a label, among those of all labels.
    func map(of label: Int, in similarities: Tensor) -> HeatMap {
        let labels = similarities.rowCount
        return HeatMap(
            side: layout.side, values: layout.patchRows.map { similarities.elements[$0 * labels + label] })
    }

    private func cosines(_ recipe: SurgeryRecipe) throws -> Tensor {
        if let known = cosines[recipe] { return known }
        let (tokens, d) = (pass.vision.tokens, pass.vision.embeddingWidth)
        let raw = Tensor(
            shape: [tokens, d], elements: Array(UnsafeBufferPointer(start: pass.embed(recipe), count: tokens * d)))
        guard raw.elements.allSatisfy(\.isFinite) else { throw ExperimentError.notFinite(image: name, place: "tokens") }
        let embedded = raw.rowsNormalised()
        let result = embedded.times(classifier, transposed: true)
        cosines[recipe] = result
        if let empty { emptyCosines[recipe] = embedded.times(empty, transposed: true).elements }
        return result
    }
}
