import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Safetensors

/// The engine against vectors that the library of a model's format computed, for any model that opens: both stand
/// beside the weights in a `reference.safetensors`, made by `scripts/check_models.py`.
///
/// It has `pixels` (U8, [images, size, size, 3]), `tokenIds` (I32, [texts, context], negative after the end of a
/// text), `imageEmbeddings` and `textEmbeddings` ([images, d] and [texts, d], not normalised).
public struct EmbeddingCheck {
    /// Largest error of an embedding, as a share of its length.
    public static let tolerance: Float = 1e-4

    private let model: URL
    private let reference: URL
    private let vocabulary: URL?

    /// - Parameters:
    ///   - model: a model folder or a file of weights.
    ///   - vocabulary: the file of OpenAI's vocabulary, for models that have none beside them.
    public init(model: URL, vocabulary: URL? = nil) {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: model.path, isDirectory: &isFolder)
        self.model = model
        self.vocabulary = vocabulary
        reference = (isFolder.boolValue ? model : model.deletingLastPathComponent())
            .appendingPathComponent("reference.safetensors")
    }

    /// - Throws: what opening the model and reading the vectors throws; `InputError.malformedFile` where the
    ///   vectors are not for this model.
    public func run() throws -> [SelfCheck.Check] {
        let vectors = try SafetensorsFile(contentsOf: reference)
        let clock = ContinuousClock()
        let start = clock.now
        let clip = try CLIP(folder: model, vocabulary: vocabulary)
        let seconds = (clock.now - start).seconds

        let pixels = try vectors.uint8s("pixels")
        let imageBytes = 3 * clip.vision.configuration.imageSize * clip.vision.configuration.imageSize
        let ids = try vectors.int32s("tokenIds").map(Int.init)
        let shape = vectors.tensors["tokenIds"]?.shape ?? []
        guard !pixels.isEmpty, pixels.count % imageBytes == 0 else {
            throw unfit("pixels", "images of \(imageBytes) bytes")
        }
        guard shape.count == 2, shape[0] > 0, (2...clip.text.configuration.contextLength).contains(shape[1]),
            ids.allSatisfy({ $0 < clip.text.configuration.vocabularySize })
        else { throw unfit("tokenIds", "ids of the model's vocabulary, as many as its context at most") }
        let texts = (0..<shape[0]).map { text in
            Array(ids[text * shape[1]..<(text + 1) * shape[1]].prefix { $0 >= 0 })
        }
        guard texts.allSatisfy({ !$0.isEmpty }) else {
            throw unfit("tokenIds", "texts of one token at least")
        }
        let images = clip.embed(images: pixels)
        return [
            SelfCheck.Check(
                name: "\(clip.description.format.rawValue), opened in seconds",
                found: String(format: "%.2f", seconds), allowed: "", isPassed: true),
            try check("image embeddings", images, vectors, "imageEmbeddings"),
            try check("text embeddings", clip.text(texts).rowsNormalised(), vectors, "textEmbeddings"),
        ]
    }

    /// The largest relative error of a row, both sides normalised.
    private func check(
        _ name: String, _ found: Tensor, _ vectors: SafetensorsFile, _ tensor: String
    ) throws -> SelfCheck.Check {
        let values = try vectors.floats(tensor)
        guard vectors.tensors[tensor]?.shape == found.shape else {
            throw unfit(tensor, "shape \(found.shape)")
        }
        let expected = Tensor(shape: found.shape, elements: values).rowsNormalised()
        let error = (0..<found.shape[0]).map { row in
            zip(found[row: row], expected[row: row]).reduce(Float(0)) { sum, pair in
                sum + (pair.0 - pair.1) * (pair.0 - pair.1)
            }.squareRoot()
        }.largestMagnitude()
        return SelfCheck.Check(
            name: name, found: String(format: "%.1e", error), allowed: String(format: "%.0e", Self.tolerance),
            isPassed: error <= Self.tolerance)
    }

    private func unfit(_ tensor: String, _ expected: String) -> InputError {
        .malformedFile(path: reference.path, place: tensor, expected: expected)
    }
}
