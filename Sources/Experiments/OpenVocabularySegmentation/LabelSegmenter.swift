import Attribution
import CLIPModel
import DenseMath
import Pipeline

/// Gives every pixel of one image after the other a label. Belongs to one worker.
final class LabelSegmenter {
    private let tokens: TokenReader
    private let size: Int
    private let vocabulary: [Int]

    init(_ clip: CLIP, _ readings: [TokenReading], classifier: Tensor, size: Int) throws {
        tokens = TokenReader(try clip.vision.resized(to: size), readings, classifier: classifier)
        self.size = size
        vocabulary = Array(0..<classifier.shape[0])
    }

    /// Runs image `index` of a set.
    /// - Returns: the model's own answer, and by how much cosine it leads.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `PipelineError.damaged`.
    func run(_ reader: ImageReader, _ index: Int, of images: ImageSet) throws -> (label: Int, margin: Float) {
        try tokens.run(reader, index, of: images)
    }

    /// The label of each pixel of the image that ran last. // [size · size]
    /// - Parameter labels: what to choose among; nil: the whole vocabulary.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``.
    func labels(_ reading: TokenReading, among labels: [Int]?) throws -> [Int32] {
        ArgmaxLabels.of(try tokens.similarities(reading), tokens.layout, among: labels ?? vocabulary, size: size)
    }
}
