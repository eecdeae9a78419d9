import CLIPModel
import DenseMath
import Foundation
import TestSupport
import Testing

/// A model whose text tower has another non-linearity than its configuration says.
@Suite struct TextActivationTests {
    static let texts = ["a red apple", "dog", "", "zebra crossing"]

    /// The tiny folder, with this non-linearity in the text tower's configuration.
    func folder(textActivation: String) throws -> TinyModelFolder {
        let folder = try TinyModelFolder()
        let url = folder.url.appendingPathComponent("config.json")
        let text = try String(contentsOf: url, encoding: .utf8)
        let edited = text.replacingOccurrences(
            of: "\"vocab_size\"", with: "\"hidden_act\": \"\(textActivation)\", \"vocab_size\"")
        #expect(edited != text)
        try folder.write("config.json", edited)
        return folder
    }

    @Test func theTextTowerIsThatOfAFolderWithTheActivation() throws {
        let folder = try folder(textActivation: "quick_gelu").url
        let quick = try CLIP(folder: folder)
        let plain = try CLIP(folder: self.folder(textActivation: "gelu").url)
        let changed = try CLIP(folder: folder, textActivation: .gelu)
        #expect(changed.configuration == plain.configuration)
        #expect(changed.description.textActivationSource == .caller)
        #expect(changed.description.imageActivationSource == quick.description.imageActivationSource)
        #expect(changed.embed(texts: Self.texts) == plain.embed(texts: Self.texts))
        let difference = largestError(
            changed.embed(texts: Self.texts).elements, quick.embed(texts: Self.texts).elements)
        #expect(difference > 1e-4, "the embeddings differ by \(difference) only")
        let names = ["cat", "dog"]
        #expect(
            ZeroShotClassifier(changed, names: names, templates: ["a {}"]).weights
                == ZeroShotClassifier(plain, names: names, templates: ["a {}"]).weights)
    }

    @Test func theImageTowerStaysAsItWas() throws {
        let folder = try folder(textActivation: "quick_gelu").url
        let clip = try CLIP(folder: folder)
        let changed = try CLIP(folder: folder, textActivation: .gelu)
        let images = RandomVision.images(3, of: clip.vision.configuration)
        #expect(changed.embed(images: images) == clip.embed(images: images))
        #expect(changed.vision.configuration == clip.vision.configuration)
        #expect(changed.vision.configuration.activation == .quickGELU)
        #expect(changed.logitScale == clip.logitScale)
        #expect(changed.vision.blocks.allSatisfy { $0.activation == .quickGELU })
        #expect(changed.text.blocks.allSatisfy { $0.activation == .gelu })
    }
}
