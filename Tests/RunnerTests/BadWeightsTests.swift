import Foundation
import Inputs
import Safetensors
import Testing

/// Weights from strangers, through the whole program. The manifest states the digests of the spoiled
/// files, so that nothing but their content gives them away.
@Suite struct BadWeightsTests {
    /// How a file of weights can be bad.
    enum Fault: String, CaseIterable, Sendable {
        case truncatedToHalf, empty, headerOfATebibyte, foreignBytes
        case wrongShape, missingTensor, unexpectedTensor, integerTensor, notANumber

        static let tensor = "vision_model.post_layernorm.weight"

        func spoil(_ url: URL) throws {
            var data = try Data(contentsOf: url)
            switch self {
            case .truncatedToHalf: data = data.prefix(data.count / 2)
            case .empty: data = Data()
            case .headerOfATebibyte: data.replaceSubrange(0..<8, with: [0, 0, 0, 0, 0, 1, 0, 0])  // 2^40
            case .foreignBytes: data = Data("<!DOCTYPE html><title>404 Not Found</title>".utf8)  // a failed download
            default: return try spoilTensors(url)
            }
            try data.write(to: url)
        }

        private func spoilTensors(_ url: URL) throws {
            let file = try SafetensorsFile(contentsOf: url)
            var tensors = try file.tensors.mapValues { try file.tensor($0.name) }
            let tensor = try #require(tensors[Self.tensor])
            let count = tensor.shape.reduce(1, *)
            switch self {
            case .wrongShape:
                tensors[Self.tensor] = try StoredTensor(type: tensor.type, shape: [1, count], data: tensor.data)
            case .missingTensor: tensors[Self.tensor] = nil
            case .unexpectedTensor: tensors["vision_model.adapter.weight"] = tensor
            case .integerTensor:
                tensors[Self.tensor] = try StoredTensor([Int32](repeating: 1, count: count), shape: tensor.shape)
            case .notANumber:
                var values = try tensor.floats()
                values[count / 2] = .nan
                tensors[Self.tensor] = try StoredTensor(values, shape: tensor.shape)
            default: Issue.record("\(self) is no fault of a tensor")
            }
            try SafetensorsWriter(tensors: tensors, metadata: file.metadata).write(to: url)
        }

        /// What the message has to name besides the file.
        var named: String? {
            switch self {
            case .truncatedToHalf, .empty, .headerOfATebibyte, .foreignBytes: nil
            case .unexpectedTensor: "vision_model.adapter.weight"
            case .wrongShape, .missingTensor, .integerTensor, .notANumber: Self.tensor
            }
        }
    }

    /// States the digests of the copy's files, as someone would who means the change.
    func renewDigests(_ copy: BadInputTests.Copy) throws {
        let manifest = try DatasetsManifest(contentsOf: copy.manifest)
        // Without the data sets, whose pictures need not be made again for this.
        var models = manifest
        models.datasets = [:]
        try models.encoded().write(to: copy.manifest)
        let output = try RunnerProcess.run(["manifest", "--write", "--manifest", copy.manifest.path])
        #expect(output.status == 0, "\(output.errors)")
        var renewed = try DatasetsManifest(contentsOf: copy.manifest)
        renewed.datasets = manifest.datasets
        try renewed.encoded().write(to: copy.manifest)
    }

    func run(_ copy: BadInputTests.Copy) throws -> (run: SmallRun, output: RunnerProcess.Output) {
        let run = try SmallRun()
        return (run, try RunnerProcess.run(run.arguments(["--manifest", copy.manifest.path])))
    }

    /// Kinds of steps with an artefact.
    func finishedSteps(_ run: SmallRun) -> Set<String> {
        let cache = run.results.appendingPathComponent("cache")
        let paths = FileManager.default.enumerator(atPath: cache.path)?.compactMap { $0 as? String } ?? []
        return Set(
            paths.filter { $0.hasSuffix("manifest.json") }.compactMap {
                $0.split(separator: "/").first.map(String.init)
            })
    }

    @Test(arguments: Fault.allCases) func spoiledWeightsAreRefused(fault: Fault) throws {
        let copy = try BadInputTests.Copy()
        defer { try? FileManager.default.removeItem(at: copy.folder) }
        try fault.spoil(copy.model.appendingPathComponent("model.safetensors"))
        try renewDigests(copy)
        let (run, output) = try run(copy)
        #expect(output.status == 65, "\(output.errors)")
        #expect(output.text == "")
        #expect(output.errors.contains("error: "))
        #expect(output.errors.contains("model.safetensors"), "\(output.errors)")
        #expect(output.errors.contains("fix: "))
        if let named = fault.named { #expect(output.errors.contains(named), "\(output.errors)") }
        #expect(!FileManager.default.fileExists(atPath: run.results.appendingPathComponent("mean-ablation.csv").path))
        // Pictures do not depend on weights; nothing else may be there.
        #expect(finishedSteps(run).isSubset(of: ["emoji-scenes", "image-facts"]))
    }

    /// The same way around without a fault: it is the fault that is refused, not the rewriting.
    @Test func rewrittenWeightsAreAccepted() throws {
        let copy = try BadInputTests.Copy()
        defer { try? FileManager.default.removeItem(at: copy.folder) }
        let url = copy.model.appendingPathComponent("model.safetensors")
        let file = try SafetensorsFile(contentsOf: url)
        try SafetensorsWriter(
            tensors: file.tensors.mapValues { try file.tensor($0.name) }, metadata: ["rewritten": "yes"]
        )
        .write(to: url)
        try renewDigests(copy)
        let (run, output) = try run(copy)
        #expect(output.status == 0, "\(output.errors)")
        #expect(finishedSteps(run).contains("ablation-predictions"))
    }
}
