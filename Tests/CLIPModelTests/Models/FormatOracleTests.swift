@testable import CLIPModel
import DenseMath
import Foundation
import Safetensors
import TestSupport
import Testing

/// Every format against the library that wrote it.
@Suite struct FormatOracleTests {
    /// A model, the file of it that is opened (nil for the folder), and what is to be found.
    struct Case: CustomTestStringConvertible {
        var model: String
        var file: String?
        var format: ModelFormat
        var activation: Activation
        var source: ActivationSource
        var testDescription: String { "\(model)/\(file ?? "")" }
    }

    static let cases = [
        Case(model: "openclip", format: .openCLIP, activation: .quickGELU, source: .configurationFile),
        Case(
            model: "openclip", file: "open_clip_model.safetensors", format: .openCLIP, activation: .quickGELU,
            source: .configurationFile),
        Case(
            model: "openclip", file: "open_clip_pytorch_model.bin", format: .openCLIP, activation: .quickGELU,
            source: .configurationFile),
        Case(model: "openclip-bf16", format: .openCLIP, activation: .gelu, source: .formatDefault),
        Case(model: "openclip-training", format: .openCLIP, activation: .quickGELU, source: .configurationFile),
        Case(model: "openai", format: .openAI, activation: .quickGELU, source: .publisher),
        Case(model: "openai", file: "ViT-Tiny.pt", format: .openAI, activation: .quickGELU, source: .publisher),
        Case(model: "huggingface-bin", format: .huggingFace, activation: .quickGELU, source: .configurationFile),
        Case(model: "openclip-custom-text", format: .openCLIP, activation: .gelu, source: .formatDefault),
        Case(model: "huggingface-sharded", format: .huggingFace, activation: .gelu, source: .configurationFile),
        Case(
            model: "huggingface-sharded", file: "model.safetensors.index.json", format: .huggingFace, activation: .gelu,
            source: .configurationFile),
    ]

    @Test(arguments: cases) func embeddingsAreTheLibrarys(_ item: Case) throws {
        let reference = try ReferenceModel(item.model)
        let url = item.file.map { reference.folder.appendingPathComponent($0) } ?? reference.folder
        let model = try OpenedModel(at: url)
        #expect(model.description.format == item.format)
        #expect(model.description.configuration.vision.activation == item.activation)
        #expect(model.description.configuration.text.activation == item.activation)
        #expect(model.description.imageActivationSource == item.source)
        #expect(model.description.textActivationSource == item.source)
        let error = try reference.error(of: model)
        #expect(error < 1e-5, "relative error \(error)")

        let other: Activation = item.activation == .gelu ? .quickGELU : .gelu
        let wrong = try reference.error(of: OpenedModel(at: url, imageActivation: other, textActivation: other))
        #expect(wrong > 1e-4, "the other non-linearity differs by \(wrong) only")
    }

    @Test func bareWeightsOfOpenCLIPNeedAConfiguration() throws {
        let folder = try ReferenceModel("openclip").copy()
        try FileManager.default.removeItem(atPath: folder.path("open_clip_config.json"))
        for name in ["open_clip_pytorch_model.bin", "open_clip_model.safetensors"] {
            let path = folder.path(name)
            #expect(throws: CheckpointError.missingConfiguration(path: path, expected: "open_clip_config.json")) {
                try OpenedModel(at: URL(fileURLWithPath: path))
            }
        }
        #expect(
            throws: CheckpointError.missingConfiguration(
                path: folder.path("open_clip_model.safetensors"), expected: "open_clip_config.json")
        ) { try OpenedModel(at: folder.url) }
    }

    /// The cache of the Hugging Face Hub has links to files that are named by their digest.
    @Test(arguments: ["huggingface-sharded", "openclip", "openai"]) func foldersOfLinks(model: String) throws {
        let reference = try ReferenceModel(model)
        let (blobs, snapshot) = (try TemporaryFolder(), try TemporaryFolder())
        for (number, name) in try FileManager.default.contentsOfDirectory(atPath: reference.folder.path).enumerated() {
            let blob = blobs.url.appendingPathComponent("\(number)")
            try FileManager.default.copyItem(at: reference.folder.appendingPathComponent(name), to: blob)
            try FileManager.default.createSymbolicLink(
                at: snapshot.url.appendingPathComponent(name), withDestinationURL: blob)
        }
        let error = try reference.error(of: OpenedModel(at: snapshot.url))
        #expect(error < 1e-5, "relative error \(error)")
    }

    @Test func weightsOfNoCLIPAndOfAnotherFormat() throws {
        let folder = try ReferenceModel("openclip").copy()
        let resnet = folder.url.appendingPathComponent("RN50.safetensors")
        let names = ["visual.layer1.0.conv1.weight", "visual.attnpool.positional_embedding", "logit_scale"]
        try SafetensorsWriter(
            tensors: Dictionary(uniqueKeysWithValues: names.map { ($0, try StoredTensor([Float(1)], shape: [1])) })
        ).write(to: resnet)
        #expect(throws: CheckpointError.unknownNames(path: resnet.path, examples: names.sorted())) {
            try OpenedModel(at: resnet)
        }
        // Names that belong to the other format than the files around them.
        let weights = folder.url.appendingPathComponent("open_clip_model.safetensors")
        let other = try TinyModelFolder()
        let own = try Data(contentsOf: weights)
        try Data(contentsOf: other.weights).write(to: weights)
        #expect(throws: CheckpointError.self) { try OpenedModel(at: folder.url) }
        try own.write(to: other.weights)
        #expect(throws: ConfigurationError.self) { try OpenedModel(at: other.url) }
    }

    @Test func openAIsFilesNeedNoConfigurationNorHeedOne() throws {
        let folder = try ReferenceModel("openai").copy()
        try Data("{}".utf8).write(to: folder.url.appendingPathComponent("open_clip_config.json"))
        #expect(try OpenedModel(at: folder.url).description.format == .openAI)
    }

    @Test func theCallerDecidesTheNonLinearity() throws {
        let url = try ReferenceModel("openclip").folder
        let image = try OpenedModel(at: url, imageActivation: .gelu).description
        #expect(image.configuration.vision.activation == .gelu && image.imageActivationSource == .caller)
        #expect(image.configuration.text.activation == .quickGELU && image.textActivationSource == .configurationFile)
        let text = try OpenedModel(at: url, textActivation: .gelu).description
        #expect(text.configuration.vision.activation == .quickGELU && text.imageActivationSource == .configurationFile)
        #expect(text.configuration.text.activation == .gelu && text.textActivationSource == .caller)
    }

    @Test func preprocessingIsTheFormats() throws {
        let custom = try OpenedModel(at: ReferenceModel("openclip-custom-text").folder).description.preprocessing
        let square = PreprocessingConfiguration.Size(height: 8, width: 8)
        #expect(
            custom
                == PreprocessingConfiguration(
                    resize: .exact(square), resampling: .bilinear, crop: nil, rescaleFactor: 1 / 255,
                    mean: [0.5, 0.4, 0.3], standardDeviation: [0.5, 0.25, 0.2]))
        #expect(
            try OpenedModel(at: ReferenceModel("openclip").folder).description.preprocessing == .openAI(imageSize: 12))
        let sharded = try OpenedModel(at: ReferenceModel("huggingface-sharded").folder).description.preprocessing
        #expect(sharded.mean == [0.5, 0.45, 0.4] && sharded.resize == .shortestEdge(12))
    }

    @Test func aWholeModelOpensWithItsVocabulary() throws {
        let folder = try ReferenceModel("openclip").copy()
        let expected = folder.path("bpe_simple_vocab_16e6.txt.gz")
        #expect(throws: TokenizerError.missingFile(path: expected)) { try CLIP(folder: folder.url) }
        try TinyModelFolder.writeVocabulary(into: folder.url)
        let clip = try CLIP(folder: folder.url, textActivation: .gelu)
        #expect(clip.embed(texts: ["a dog", ""]).shape == [2, 10])
        #expect(clip.description.weightsPath == folder.path("open_clip_model.safetensors"))
        #expect(clip.description.textActivationSource == .caller)
        #expect(clip.tokenizer.dialect == .huggingFace)
        let described = try CLIP.describe(folder: folder.url, textActivation: .gelu)
        #expect(described.description == clip.description)
        #expect(
            described.files.map(\.lastPathComponent)
                == ["merges.txt", "open_clip_config.json", "open_clip_model.safetensors", "vocab.json"])
    }

    /// OpenAI's vocabulary, cut to the 514 tokens of the fixtures, in the dialect of the format.
    @Test func openAIsVocabularyIsReadInTheDialectOfTheFormat() throws {
        let folder = try ReferenceModel("openclip").copy()
        let given = try CLIP(folder: folder.url, vocabulary: OpenAIVocabulary.file)
        #expect(given.tokenizer.dialect == .openCLIP)
        try TinyModelFolder.writeVocabulary(into: folder.url)
        #expect(try CLIP(folder: folder.url, vocabulary: OpenAIVocabulary.file).tokenizer.dialect == .openCLIP)
        #expect(try CLIP(folder: folder.url).tokenizer.dialect == .huggingFace)
        let beside = folder.url.appendingPathComponent("bpe_simple_vocab_16e6.txt.gz")
        try FileManager.default.copyItem(at: OpenAIVocabulary.file, to: beside)
        #expect(try CLIP(folder: folder.url).tokenizer.dialect == .openCLIP)
        // A model that brings its own keeps it.
        let own = try CLIP(folder: TinyModelFolder().url, vocabulary: OpenAIVocabulary.file)
        #expect(own.tokenizer.dialect == .huggingFace)
    }
}
