import Attribution
import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Pipeline
import Safetensors
import TestSupport
import Testing

@testable import Experiments

@Suite struct ExportTests {
    let sample: ExportSample

    init() throws { sample = try ExportSample() }

    // MARK: Contents

    @Test func embeddingsAreThoseOfTheLiteralForwardPass() throws {
        try sample.export(.embeddings)
        let (rows, norms) = (try sample.file().floats("embeddings"), try sample.file().floats("norms"))
        for image in 0..<ExportSample.count {
            let expected = try sample.literal(image).representation
            let found = rows[image * 6..<(image + 1) * 6]
            #expect(relativeError(found.map { $0 * norms[image] }, expected) < 1e-5)
            #expect(abs(found.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        }
    }

    /// Models that other libraries wrote, with what those computed.
    @Test(arguments: ["huggingface-bin", "huggingface-sharded", "openclip", "openclip-custom-text"])
    func embeddingsAreTheLibrarys(name: String) throws {
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("CLIPModelTests/Fixtures/Models/\(name)")
        let model = sample.folder.appendingPathComponent(name)
        try FileManager.default.copyItem(at: fixtures, to: model)
        if name.hasPrefix("huggingface") { try TinyModelFolder.writeVocabulary(into: model) }
        let vectors = try SafetensorsFile(contentsOf: fixtures.appendingPathComponent("reference.safetensors"))
        let (pixels, expected) = (try vectors.uint8s("pixels"), try vectors.doubles("imageEmbeddings"))
        let shape = try #require(vectors.tensors["pixels"]?.shape)
        let pictures = sample.folder.appendingPathComponent("library")
        try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        let bytes = shape[1] * shape[2] * 3
        for index in 0..<shape[0] {
            let image = RGBImage(
                width: shape[2], height: shape[1], pixels: Array(pixels[index * bytes..<(index + 1) * bytes]))
            try image.writePNG(to: pictures.appendingPathComponent("\(index).png"))
        }
        let output = sample.folder.appendingPathComponent("library.safetensors")
        let vocabulary = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent(
                "models/clip-bpe/\(Tokenizer.openAIVocabulary)")
        let export = try Export(
            .embeddings, of: PictureSelection(location: pictures.path),
            .init(model: model, vocabulary: vocabulary, program: .init(name: "test", version: "1")))
        try export.run(in: ResultsFolder(sample.results), to: PendingFile(for: output, followsLink: true))
        let file = try SafetensorsFile(contentsOf: output)
        let (rows, norms) = (try file.floats("embeddings"), try file.floats("norms"))
        let d = expected.count / shape[0]
        let found = rows.indices.map { rows[$0] * norms[$0 / d] }
        #expect(relativeError(found, expected) < 1e-4, "\(relativeError(found, expected))")
    }

    @Test func attentionIsThatOfTheLiteralForwardPass() throws {
        try sample.export(.attention)
        let file = try sample.file()
        #expect(file.tensors["attention"]?.shape == [ExportSample.count, 4, 2, 5])
        let attention = try file.floats("attention")
        for image in 0..<ExportSample.count {
            let expected = try sample.literal(image).attention.flatMap { $0.flatMap { $0 } }
            #expect(relativeError(attention[image * 40..<(image + 1) * 40], expected) < 1e-5)
        }
    }

    @Test func textsAreEmbeddedAsTheModelDoes() throws {
        let texts = (0..<130).map { "text \($0)" } + ["a text that is longer than the context"]
        try sample.export(texts: texts)
        let (file, clip) = (try sample.file(), try sample.clip())
        let embeddings = try file.floats("embeddings")
        #expect(largestError(embeddings, clip.embed(texts: texts).elements) < 1e-5)
        let ids = try file.int32s("token-ids")
        #expect(file.tensors["token-ids"]?.shape == [texts.count, 8])
        #expect(ids.prefix(8).filter { $0 >= 0 } == clip.tokenizer.encode(texts[0]).map(Int32.init))
        let listed = try #require(sample.document()["texts"] as? [[String: Any]])
        #expect(listed.map { $0["text"] as? String } == texts)
        #expect(listed.last?["isTruncated"] as? Bool == true)
    }

    @Test(arguments: AttributionMethod.all) func mapsAreThoseOfTheMethod(method: AttributionMethod) throws {
        let texts = method.usesClass ? ["a", "b"] : []
        try sample.export(
            .maps(MapExport(method: method, texts: texts, neuronsPerText: 5)), of: sample.selection(limit: 9),
            workers: 3)
        let (file, clip) = (try sample.file(), try sample.clip())
        let side = method == .lrp ? 8 : 2
        #expect(file.tensors["maps"]?.shape == [9, max(texts.count, 1), side, side])
        let maps = try file.floats("maps")
        #expect(maps.allSatisfy { $0.isFinite })
        #expect(maps.contains { $0 != 0 })
        guard method != .secondOrder else { return }
        let weights = texts.isEmpty ? clip.embed(texts: ["other"]) : clip.embed(texts: texts)
        let workspace = AttributionWorkspace(
            clip.vision, classifier: weights, logitScale: exp(clip.logitScale), methods: [method])
        for image in 0..<9 {
            let pass = workspace.run(Array(sample.slice(image)))
            for text in 0..<max(texts.count, 1) {
                let expected = pass.map(method, class: text).values
                let start = (image * max(texts.count, 1) + text) * side * side
                let error = relativeError(maps[start..<start + side * side], expected.map(Double.init))
                #expect(error < 1e-5, "image \(image), text \(text): \(error)")
            }
        }
    }

    /// A second-order map is the mean activation of the neurons whose directions are most aligned with the text;
    /// the directions are those of the second-order export of the same pictures.
    @Test func secondOrderMapsUseTheDirectionsOfThePictures() throws {
        let count = 6
        try sample.export(
            .maps(
                MapExport(method: .secondOrder, texts: ["a", "b"], layers: IndexSelection("1"), neuronsPerText: count)))
        let maps = try sample.file().floats("maps")
        try sample.export(
            .secondOrder(.init(layer: 1, neurons: try #require(IndexSelection("0..<70")))), to: "directions")
        let directions = try sample.file("directions").floats("principal-directions")
        let classifier = try sample.clip().embed(texts: ["a", "b"])
        for text in 0..<2 {
            let scores = (0..<70).map { n in
                abs(zip(directions[n * 6..<(n + 1) * 6], classifier[row: text]).reduce(Float(0)) { $0 + $1.0 * $1.1 })
            }
            let neurons = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(count)
            for image in [0, 36] {
                let activations = try sample.literal(image).activations[1]
                let expected = (1..<5).map { token in neurons.reduce(0) { $0 + activations[token][$1] } / Double(count)
                }
                let start = (image * 2 + text) * 4
                #expect(relativeError(maps[start..<start + 4], expected) < 1e-4)
            }
        }
    }

    @Test func textsFitTheMethod() throws {
        let selection = sample.selection(limit: 2)
        for (maps, error) in [
            (MapExport(method: .gradcam, texts: []), ExportError.textsMissing(method: "gradcam")),
            (MapExport(method: .rollout, texts: ["a"]), .textsNotUsed(method: "rollout")),
            (MapExport(method: .textSpan, texts: ["a"]), .contrastMissing(method: "textspan")),
            (
                MapExport(method: .secondOrder, texts: ["a"], layers: IndexSelection("3")),
                .noSecondOrderEffects(layer: 3, layers: 4)
            ),
        ] {
            #expect(throws: error) { try sample.export(.maps(maps), of: selection) }
        }
        #expect(throws: ExportError.textsMissing(method: "texts")) { try sample.export(texts: []) }
        try sample.export(
            .maps(MapExport(method: .textSpan, texts: ["a"], contrastTexts: ["b"])), of: selection)
        #expect(try sample.file().floats("maps").contains { $0 != 0 })
        #expect(try sample.outputs() == ["out.safetensors"])
    }

    // MARK: Header

    @Test func theHeaderSaysWhatItIs() throws {
        try sample.export(.embeddings, of: sample.selection(limit: 3))
        let document = try sample.document()
        #expect(document["contents"] as? String == "images")
        let images = try #require(document["images"] as? [String: Any])
        let pictures = try #require(images["pictures"] as? [[String: Any]])
        #expect(pictures.map { $0["id"] as? String } == ["000.png", "001.png", "002.png"])
        let bytes = try Data(contentsOf: sample.pictures.appendingPathComponent("001.png"))
        #expect(pictures[1]["sha256"] as? String == Digest.sha256(of: bytes))
        #expect(images["found"] as? Int == ExportSample.count)
        let model = try #require(document["model"] as? [String: Any])
        let weights = try #require((model["weights"] as? [[String: Any]])?.first)
        #expect(weights["sha256"] as? String == Digest.sha256(of: try Data(contentsOf: sample.model.weights)))
        let activation = try #require((model["imageTower"] as? [String: Any])?["activation"] as? [String: Any])
        #expect(activation["name"] as? String == "quick_gelu")
        #expect(activation["source"] as? String == "formatDefault")
        let tensors = try #require(document["tensors"] as? [String: [String: Any]])
        for (name, record) in try sample.file().tensors {
            #expect(tensors[name]?["shape"] as? [Int] == record.shape)
            #expect((tensors[name]?["axes"] as? [String])?.count == record.shape.count)
            #expect(tensors[name]?["unit"] as? String != "")
        }
    }

    // MARK: Faults

    @Test func badPicturesEndTheWorkOrAreLeftOut() throws {
        try Data("no picture".utf8).write(to: sample.pictures.appendingPathComponent("010.png"))
        let cut = try Data(contentsOf: sample.pictures.appendingPathComponent("011.png"))
        try cut.prefix(cut.count / 2).write(to: sample.pictures.appendingPathComponent("011.png"))
        try Data("RIFF1234WEBP".utf8).write(to: sample.pictures.appendingPathComponent("zzz.webp"))
        let error = #expect(throws: InputError.self) { try sample.export(.embeddings) }
        guard case .pictureRefused(let name, .unknownFormat)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(name.hasSuffix("/010.png"))
        #expect(try sample.outputs() == [])

        try sample.export(.embeddings, of: sample.selection(badPictures: .skip))
        #expect(try sample.file().tensors["embeddings"]?.shape == [ExportSample.count - 2, 6])
        let images = try #require(sample.document()["images"] as? [String: Any])
        let skipped = try #require(images["skipped"] as? [[String: Any]])
        #expect(skipped.map { $0["id"] as? String } == ["010.png", "011.png", "zzz.webp"])
        #expect((images["pictures"] as? [[String: Any]])?.count == ExportSample.count - 2)
        // The pictures after the gap are still the right ones.
        let expected = try sample.literal(12).representation
        let norm = try sample.file().floats("norms")[10]
        let found = try sample.file().floats("embeddings")[60..<66].map { $0 * norm }
        #expect(relativeError(found, expected) < 1e-5)
    }

    @Test func withoutASoundPictureThereIsNothingToExport() throws {
        let empty = sample.folder.appendingPathComponent("pictures/empty")
        try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
        #expect(throws: ExportError.noPictures(location: empty.path, skipped: 0)) {
            try sample.export(.embeddings, of: PictureSelection(location: empty.path))
        }
        try Data().write(to: empty.appendingPathComponent("a.png"))
        #expect(throws: ExportError.noPictures(location: empty.path, skipped: 1)) {
            try sample.export(.embeddings, of: PictureSelection(location: empty.path, badPictures: .skip))
        }
        #expect(try sample.outputs() == [])
    }

    @Test func aCancelledExportLeavesNothing() throws {
        let cancellation = Cancellation()
        cancellation.cancel()
        let error = #expect(throws: PipelineError.self) {
            try sample.export(.embeddings, cancellation: cancellation)
        }
        guard case .interrupted? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try sample.outputs() == [])
    }

    /// Shards of embeddings and attention have 250 images, those of maps 50.
    @Test func moreThanAShardIsWrittenInItsPlace() throws {
        let sample = try ExportSample(count: 260)
        try sample.export(.embeddings, to: "embeddings")
        try sample.export(.attention, to: "attention")
        try sample.export(
            .maps(MapExport(method: .rawAttention, texts: [])), of: sample.selection(limit: 60), to: "maps")
        let (rows, norms) = (
            try sample.file("embeddings").floats("embeddings"), try sample.file("embeddings").floats("norms")
        )
        let attention = try sample.file("attention").floats("attention")
        for image in [0, 249, 250, 259] {
            let literal = try sample.literal(image)
            let found = rows[image * 6..<(image + 1) * 6].map { $0 * norms[image] }
            #expect(relativeError(found, literal.representation) < 1e-5, "image \(image)")
            let expected = literal.attention.flatMap { $0.flatMap { $0 } }
            #expect(relativeError(attention[image * 40..<(image + 1) * 40], expected) < 1e-5, "image \(image)")
        }
        let maps = try sample.file("maps").floats("maps")
        let workspace = AttributionWorkspace(
            try sample.clip().vision, classifier: try sample.clip().embed(texts: ["a"]), logitScale: 1,
            methods: [.rawAttention])
        for image in [49, 50, 59] {
            let expected = try Array(sample.slice(image)).withUnsafeBufferPointer {
                workspace.run(try #require($0.baseAddress)).map(.rawAttention, class: 0).values
            }
            #expect(relativeError(maps[image * 4..<(image + 1) * 4], expected.map(Double.init)) < 1e-5)
        }
    }

    /// Whoever asks for other neurons of the layer computes their coordinates only, and for the same file nothing.
    @Test func whatWasComputedIsNotComputedAgain() throws {
        let first = try sample.export(.secondOrder(.init(layer: 1, neurons: try #require(IndexSelection("0..<4")))))
        #expect(first.kinds.contains("principal-directions") && first.kinds.contains("head-coordinates"))
        let others = try sample.export(.secondOrder(.init(layer: 1, neurons: try #require(IndexSelection("4..<8")))))
        #expect(others.kinds == ["head-coordinates"])
        let bytes = try Data(contentsOf: sample.folder.appendingPathComponent("out.safetensors"))
        let again = try sample.export(
            .secondOrder(.init(layer: 1, neurons: try #require(IndexSelection("4..<8")))), to: "again")
        #expect(again.kinds == [])
        #expect(try Data(contentsOf: sample.folder.appendingPathComponent("again")) == bytes)
        #expect(try !sample.export(.embeddings).kinds.contains("pictures"))
    }

    /// The same pictures in a tar that has to be decompressed from its beginning.
    @Test func anArchiveIsAsGoodAsAFolder() throws {
        let archive = sample.folder.appendingPathComponent("pictures/all.tar.gz")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // In another order than that of the names.
        let names = (0..<ExportSample.count).map { String(format: "%03d.png", $0) }.reversed()
        process.arguments = ["tar", "-czf", archive.path, "-C", sample.pictures.path] + names
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        try sample.export(.embeddings, of: PictureSelection(location: archive.path), to: "archive")
        try sample.export(.embeddings, to: "folder")
        #expect(try sample.file("archive").floats("embeddings") == sample.file("folder").floats("embeddings"))
    }
}
