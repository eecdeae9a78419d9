import Archives
import Foundation
import Inputs
import Pipeline
import Results
import TestSupport
import Testing

/// A folder with a model of two layers, the miniature data sets under their published names, an ImageNet of
/// three classes, and one spec.
struct PictureStudy {
    let folder: URL
    private(set) var data: URL
    var results: URL { folder.appendingPathComponent("results") }
    private var spec: URL { folder.appendingPathComponent("spec.yaml") }
    private var manifest: URL { folder.appendingPathComponent("datasets.manifest") }

    init() throws {
        folder = try ProcessFolder.make()
        data = folder.appendingPathComponent("data")
        let manager = FileManager.default
        let prompts = folder.appendingPathComponent("models/prompts")
        try manager.createDirectory(at: prompts, withIntermediateDirectories: true)
        try manager.copyItem(at: RunnerProcess.repository.appendingPathComponent("datasets.manifest"), to: manifest)
        for (name, source) in [
            ("imagenet-wnids.txt", DataSetFixtures.url("imagenet-wnids.txt")),
            ("imagenet-classes.txt", DataSetFixtures.url("imagenet-names.txt")),
        ] {
            try manager.copyItem(at: source, to: prompts.appendingPathComponent(name))
        }
        for name in ["templates-simple-7.txt", "templates-80.txt", "templates-85.txt"] {
            try manager.copyItem(
                at: RunnerProcess.repository.appendingPathComponent("models/prompts/\(name)"),
                to: prompts.appendingPathComponent(name))
        }
        try manager.moveItem(at: TinyModelFolder().url, to: folder.appendingPathComponent("model"))
        try DataSetFixtures.install(into: data)
    }

    // MARK: Spec

    private static let study = """
        world: tiny
        model: $MODEL
        templates: openai-simple-7
        significant-images: 2
        controls: {accuracy-floor: 0}

        """

    /// - Parameters:
    ///   - fit: images as in a spec, `{dataset: imagenet-r}`; `$DATA` stands for the folder of data.
    ///   - more: lines of the spec.
    func writeMeanAblation(
        fit: String = "{dataset: imagenet-train}", evaluation: String, model: String = "./model", _ more: String = ""
    ) throws {
        try write("experiment: mean-ablation\n", fit, evaluation, model, more)
    }

    func writeSegmentation(fit: String = "{dataset: imagenet-train}", evaluation: String, _ more: String = "") throws {
        try write(
            "experiment: segmentation\nneurons: 2\noverlays: 1\nsensitivity: {images: 2, neurons: [1], thresholds: [0.5]}\n",
            fit,
            evaluation, "./model", more)
    }

    private func write(_ experiment: String, _ fit: String, _ evaluation: String, _ model: String, _ more: String)
        throws
    {
        try writeSpec(
            (experiment + Self.study + "fit: \(fit)\nevaluation: \(evaluation)\n" + more).replacing(
                "$MODEL", with: model))
    }

    /// - Parameter text: in which `$DATA` stands for the folder of data.
    func writeSpec(_ text: String) throws {
        try Data(text.replacing("$DATA", with: "./" + data.lastPathComponent).utf8).write(to: spec)
    }

    // MARK: Runs

    func run(_ extra: [String] = [], environment: [String: String] = [:]) throws -> RunnerProcess.Output {
        try RunnerProcess.start(
            ["--spec", spec.path, "--results", results.path, "--manifest", manifest.path, "--data", data.path] + extra,
            environment: environment
        ).wait()
    }

    /// Moves the folder of data.
    mutating func moveData() throws {
        let target = folder.appendingPathComponent("elsewhere")
        try FileManager.default.moveItem(at: data, to: target)
        data = target
    }

    /// What the latest run left in the results database, and said of its images.
    struct Outcome {
        /// Of the condition in which nothing is ablated; labels by image.
        let labels: [String: String]
        /// Names of the sets, and their numbers of images, by role.
        let names: [String: String]
        let counts: [String: Int]
        /// Reasons by picture.
        let skipped: [String: String]
        /// Kinds of steps that were computed.
        let computed: Set<String>
    }

    func outcome(_ experiment: String = "mean-ablation") throws -> Outcome {
        let database = try ResultsDatabase(readingFrom: results.appendingPathComponent("results.sqlite"))
        let run = try #require(try database.latestRun(of: experiment))
        let sets = try database.predictions(of: run)
        let baseline = try #require(sets.first { $0.condition["condition"] == "baseline" })
        for set in sets { #expect(set.predictions.map(\.imageID) == baseline.predictions.map(\.imageID)) }
        let inputs = try JSONDecoder().decode(
            Inputs.self, from: Data(contentsOf: results.appendingPathComponent("\(experiment)-inputs.json")))
        return Outcome(
            labels: Dictionary(
                baseline.predictions.map { ($0.imageID, $0.label) }, uniquingKeysWith: { first, _ in first }),
            names: Dictionary(inputs.images.map { ($0.role, $0.name) }, uniquingKeysWith: { first, _ in first }),
            counts: Dictionary(inputs.images.map { ($0.role, $0.count) }, uniquingKeysWith: { first, _ in first }),
            skipped: Dictionary(
                inputs.images.flatMap(\.skipped).map { ($0.id, $0.reason) }, uniquingKeysWith: { first, _ in first }),
            computed: Set(try database.steps(of: run.id).filter { $0.status == .computed }.map(\.kind)))
    }

    private struct Inputs: Decodable {
        struct Images: Decodable {
            struct Skipped: Decodable {
                let id, reason: String
            }

            let role, name: String
            let count: Int
            let skipped: [Skipped]
        }

        let images: [Images]
    }

    // MARK: Changing data

    /// The bytes of a file of the folder of data.
    func edit(_ path: String, _ change: (inout Data) throws -> Void) throws {
        let url = data.appendingPathComponent(path)
        var bytes = try Data(contentsOf: url)
        try change(&bytes)
        try bytes.write(to: url)
    }

    /// Puts the files of an archive in its place, under its name without extension or another one.
    func unpack(_ archive: String, into name: String) throws {
        let url = data.appendingPathComponent(archive)
        try Archive(path: url.path).unpack(into: data.appendingPathComponent(name))
        try FileManager.default.removeItem(at: url)
    }

    /// Writes a tar again with other contents for some of its files.
    func repack(_ archive: String, _ change: (_ path: String, _ bytes: inout [UInt8]) -> Void) throws {
        let url = data.appendingPathComponent(archive)
        let old = try Archive(path: url.path)
        var tar = TarBuilder()
        for file in 0..<old.count {
            var bytes = try old.contents(of: file)
            change(old.path(of: file), &bytes)
            tar.add(Array(old.path(of: file).utf8), data: bytes)
        }
        try Data(tar.closed).write(to: url)
    }
}
