@testable import CLIPModel
import Foundation
import Safetensors
import TestSupport
import Testing

/// A model of `scripts/make_model_fixtures.py`, with what its library computed.
struct ReferenceModel {
    private struct Texts: Decodable { var texts: [[Int]] }

    let folder: URL
    let texts: [[Int]]
    let pixels: [UInt8]
    let imageEmbeddings: [Double]
    let textEmbeddings: [Double]
    let logitScale: Float

    init(_ name: String) throws {
        folder = Fixtures.folder.appendingPathComponent("Models/\(name)")
        let reference = try SafetensorsFile(contentsOf: folder.appendingPathComponent("reference.safetensors"))
        texts = try Fixtures.decode(Texts.self, "Models/\(name)/reference.json").texts
        pixels = try reference.uint8s("pixels")
        imageEmbeddings = try reference.doubles("imageEmbeddings")
        textEmbeddings = try reference.doubles("textEmbeddings")
        logitScale = try #require(try reference.floats("logitScale").first)
    }

    /// The larger relative error of the two towers.
    func error(of model: OpenedModel) throws -> Double {
        let description = model.description
        let vision = try VisionTransformer(
            model.checkpoint, description.configuration.vision, description.preprocessing)
        let text = try TextTransformer(model.checkpoint, description.configuration.text)
        #expect(try model.checkpoint.logitScale() == logitScale)
        let size = 3 * vision.configuration.imageSize * vision.configuration.imageSize
        let count = pixels.count / size
        let pass = vision(pixels, batch: count, VisionWorkspace(vision, capacity: count))
        #expect(count * vision.embeddingWidth == imageEmbeddings.count)
        #expect(texts.count * text.embeddingWidth == textEmbeddings.count)
        // Backwards, so that they come out of the order in which the tower takes them.
        let backwards = text(texts.reversed())
        let found = texts.indices.flatMap { backwards[row: texts.count - 1 - $0] }
        return max(
            relativeError(imageEmbeddings.indices.map { pass.embeddings[$0] }, imageEmbeddings),
            relativeError(found, textEmbeddings))
    }

    /// A copy that a test may spoil.
    func copy() throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where !name.hasPrefix("reference.")
        {
            try FileManager.default.copyItem(
                at: folder.appendingPathComponent(name), to: copy.url.appendingPathComponent(name))
        }
        return copy
    }
}
