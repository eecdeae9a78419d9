import Foundation
import Safetensors
import Testing

/// Numbers that become infinite or NaN on the way: the step and the first image or text are named, once.
///
/// Weights that are not finite are refused when they are read (`BadWeightsTests`); these are finite, and their
/// products are not.
@Suite struct NotFiniteTests {
    /// Runs a spec on a model one of whose tensors is multiplied.
    func run(_ tensor: String, times factor: Float, spec text: String, _ extra: [String] = []) throws -> (
        SmallStudy, RunnerProcess.Output
    ) {
        let copy = try BadInputTests.Copy()
        defer { try? FileManager.default.removeItem(at: copy.folder) }
        try copy.scale(tensor, by: factor)
        try BadWeightsTests().renewDigests(copy)
        let study = try SmallStudy(["spec.yaml": text])
        return (
            study,
            try RunnerProcess.run(
                study.arguments(["spec.yaml"], ["--manifest", copy.manifest.path] + extra, limit: 32))
        )
    }

    func expectOneError(_ study: SmallStudy, _ output: RunnerProcess.Output, _ words: [String]) {
        #expect(output.status == 1 && output.text == "", "\(output.status) \(output.text)\(output.errors)")
        let errors = output.errors.components(separatedBy: "\n").filter { $0.hasPrefix("error: ") }
        #expect(errors.count == 1, "\(errors)")
        for word in words { #expect(errors[0].contains(word), "\(errors)") }
        #expect(output.errors.contains("fix: "))
        #expect(!FileManager.default.fileExists(atPath: study.file("mean-ablation.csv").path))
    }

    /// Several workers meet it at once; one error comes of it, that of the first image.
    @Test func theStepAndTheFirstImageAreNamed() throws {
        let (study, output) = try run(
            "vision_model.post_layernorm.weight", times: 1e38, spec: SmallSpecs.meanAblation, ["--jobs", "4"])
        expectOneError(
            study, output, ["step effect-sums", "images 0 to ", "image emoji-scenes/fit/0,", "not a finite number"])
    }

    @Test func theFirstClassIsNamed() throws {
        let (study, output) = try run(
            "text_model.final_layer_norm.weight", times: 1e38, spec: SmallSpecs.meanAblation, ["--jobs", "4"])
        expectOneError(study, output, ["step zero-shot-classifier", "the text '", "not a finite number"])
    }

    /// Without a classifier before it.
    @Test func theFirstPhraseOfAPoolIsNamed() throws {
        let (study, output) = try run(
            "text_model.final_layer_norm.weight", times: 1e38, spec: SmallSpecs.conceptDiscovery)
        expectOneError(study, output, ["step text-pool (own)", "the text 'dog'", "not a finite number"])
    }
}

extension BadInputTests.Copy {
    /// Multiplies a tensor of the model, which is then stored in single precision.
    func scale(_ name: String, by factor: Float) throws {
        let url = model.appendingPathComponent("model.safetensors")
        let file = try SafetensorsFile(contentsOf: url)
        var tensors = try file.tensors.mapValues { try file.tensor($0.name) }
        let tensor = try #require(tensors[name])
        tensors[name] = try StoredTensor(tensor.floats().map { $0 * factor }, shape: tensor.shape)
        try SafetensorsWriter(tensors: tensors, metadata: file.metadata).write(to: url)
    }
}
