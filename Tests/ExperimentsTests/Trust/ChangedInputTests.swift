import Foundation
import Foundations
import Inputs
import Pipeline
import TestSupport
import Testing

@testable import Experiments

/// What is computed with is what was digested when the steps were planned.
@Suite struct ChangedInputTests {
    private let folder: TemporaryFolder
    private let memory: OutputFolder

    init() throws {
        folder = try TemporaryFolder()
        memory = OutputFolder(folder.url).folder("memory")
        for (index, name) in ["a/0", "a/1", "b/2", "b/3"].enumerated() {
            let url = folder.url.appendingPathComponent("pictures/\(name).png")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Self.picture(UInt8(10 * index)).write(to: url)
        }
    }

    private static func picture(_ grey: UInt8) throws -> Data {
        try RGBImage(width: 8, height: 8, grey: grey).png(for: "")
    }

    /// Lists the pictures and plans the step that makes squares of them.
    private func planned() throws -> (graph: Graph, images: StepHandle<Shards<ImageShard>>) {
        let place = folder.url.appendingPathComponent("pictures")
        let source = try PictureSource(
            .classFolders, split: nil, path: place, data: folder.url,
            classes: .init(
                wnids: folder.url.appendingPathComponent("none"), names: folder.url.appendingPathComponent("none")))
        let dataset = try PictureDataset(
            source, .all, limit: nil, withMasks: false, onBadPicture: .fail, memo: InputMemo(folder: memory),
            tell: { _ in })
        var graph = Graph()
        let square = ImagePreprocessing.clip(size: 4)
        let images = try dataset.images(square, masks: nil, label: "pictures", in: &graph).images
        return (graph, images)
    }

    private func run(_ graph: Graph) throws -> ExecutionResult {
        try Executor(graph, in: ResultsFolder(folder.url.appendingPathComponent("results"))).run()
    }

    /// Overwritten between the plan and the step, and restored later: before, that left the other pictures' rows in the
    /// cache for ever, without a word.
    @Test func picturesThatChangeUnderARunEndItByName() throws {
        let url = folder.url.appendingPathComponent("pictures/b/2.png")
        let plan = try planned()
        try Self.picture(200).write(to: url)
        guard
            case .shardFailed(_, _, DataSetError.changed(let place))? = #expect(
                throws: PipelineError.self, performing: { try run(plan.graph) })
        else {
            Issue.record("the change is not noticed")
            return
        }
        #expect(place == url.path)

        try Self.picture(20).write(to: url)
        let again = try planned()
        #expect(again.images.key == plan.images.key)
        let shards = try run(again.graph).artefact(again.images)
        let greys = try (0..<shards.count).flatMap { index in
            let shard = try shards[index]
            return (0..<shard.count).map { shard.image($0).pixels[0] }
        }
        #expect(greys.sorted() == [0, 10, 20, 30])
    }

    /// A list that an earlier run kept is only taken where no file has changed since.
    @Test func aKeptListIsThatOfTheFiles() throws {
        func key() throws -> StepKey { try planned().images.key }
        let first = try key()
        #expect(try key() == first)
        try Self.picture(200).write(to: folder.url.appendingPathComponent("pictures/b/2.png"))
        #expect(try key() != first)
    }

    @Test func weightsThatChangeBeforeTheyAreLoadedAreNamed() throws {
        let model = try TinyModelFolder().url
        defer { try? FileManager.default.removeItem(at: model) }
        let manifest = folder.url.appendingPathComponent("datasets.manifest")
        try Data(#"{"models": {}, "datasets": {}}"#.utf8).write(to: manifest)
        let context = ExperimentContext(manifest: try DatasetsManifest(contentsOf: manifest))
        let key = OpenedInputs.ModelKey(reference: .at(model), passOrder: .pillow13)
        _ = try context.opened.model(key).clip.value()

        for name in ["model.safetensors", "config.json", "merges.txt"] {
            let context = ExperimentContext(manifest: try DatasetsManifest(contentsOf: manifest))
            let opened = try context.opened.model(key)
            let url = model.appendingPathComponent(name)
            let bytes = try Data(contentsOf: url)
            // The same bytes: what was there meanwhile, nobody knows.
            try bytes.write(to: url)
            #expect(throws: ChangedFile(path: url.path)) { try opened.clip.value() }
        }
    }

    /// The manifest's digest holds for the bytes that are read, not only for those that were looked at first.
    @Test func sourcesOfTheWorldAreComparedWhenTheyAreRead() throws {
        let manifest = try DatasetsManifest(contentsOf: HandMade.repository.appendingPathComponent("datasets.manifest"))
        var entry = try manifest.dataset("emoji-scenes")
        let copy = folder.url.appendingPathComponent("en.xml")
        try FileManager.default.copyItem(atPath: entry.sources.annotations.path, toPath: copy.path)
        entry.sources.annotations.path = copy.path
        let sources = try entry.verifiedSources(name: "emoji-scenes")
        let text = try String(contentsOf: copy, encoding: .utf8)
        try Data(text.replacing("ship", with: "boat").utf8).write(to: copy)
        guard
            case .digestMismatch(_, copy.path, _, _)? = #expect(
                throws: InputError.self, performing: { try EmojiCatalogue(sources) })
        else {
            Issue.record("the change is not noticed")
            return
        }
    }
}
