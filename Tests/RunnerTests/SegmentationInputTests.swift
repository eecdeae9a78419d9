import Foundation
import Testing

/// Settings of the segmentation experiment that no model has.
@Suite struct SegmentationInputTests {
    @Test(arguments: [
        ("neurons: 5\n", "neurons: 1537\n", "spec.yaml:10:10: 'neurons' is 1537", "choose a value from 1 to 1536"),
        ("neurons: 5\nneuron-layers: [0, 2]", "neurons: 769\nneuron-layers: [2]", "'neurons' is 769", "from 1 to 768"),
        ("neuron-layers: [0, 2]", "neuron-layers: [2, 2]", "'neuron-layers' lists 2 twice", "remove one of the two"),
        (
            "neuron-layers: [0, 2]", "neuron-layers: [1]", "layer 1 is none of the layers [0, 2] that the spec studies",
            "change the value"
        ),
        (
            "neuron-layers: [0, 2]", "neuron-layers: [5]", "layer 5 is none of the layers [0, 2] that the spec studies",
            "change the value"
        ),
        ("thresholds: [0.5]", "thresholds: [1.5]", "'sensitivity.thresholds' is 1.5", "from 0.0 to 1.0"),
        (
            "thresholds: [0.5]", "thresholds: [0.5, 0.5]", "'sensitivity.thresholds' lists 0.5 twice",
            "remove one of the two"
        ),
        ("neurons: [2, 5]", "neurons: [2, 1000]", "'sensitivity.neurons' is 1000", "from 1 to 768"),
        ("overlays: 2", "overlays: 2\nmask-geometry: square", "'mask-geometry' is 'square'", "fix: "),
        ("overlays: 2", "overlays: 0", "'overlays' is 0", "from 1 to 200"),
    ])
    func settingsAreRefused(old: String, new: String, words: String, fix: String) throws {
        let text = SmallSpecs.segmentation.replacingOccurrences(of: old, with: new)
        #expect(text != SmallSpecs.segmentation)
        let study = try SmallStudy(["spec.yaml": text])
        let output = try RunnerProcess.run(study.arguments(["spec.yaml"]))
        #expect(output.status == 65 && output.text == "")
        #expect(output.errors.contains(words), "\(output.errors)")
        #expect(output.errors.contains(fix), "\(output.errors)")
        #expect(!FileManager.default.fileExists(atPath: study.results.path))
    }
}
