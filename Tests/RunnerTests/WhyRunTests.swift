import Foundation
import Testing

/// `runner why` and `runner validate` as a user starts them.
@Suite(.serialized) struct WhyRunTests {
    @Test func aPrintedNumberLeadsToItsImages() throws {
        let study = try ExperimentRunTests.finished.get().study
        func why(_ words: [String]) throws -> RunnerProcess.Output {
            try RunnerProcess.run(["why"] + words + ["--results", study.results.path, "--images", "3"])
        }
        let accuracy = try why(["figure 4", "2", "own, phrases a neuron: m = 4"])
        #expect(
            accuracy.status == 0 && accuracy.text.contains("of 96 are right")
                && accuracy.text.contains("emoji-scenes/val/"), "\(accuracy.text)\(accuracy.errors)")
        #expect(accuracy.text.contains("sparse-predictions/"), "the steps are listed: \(accuracy.text)")
        let map = try why(["Table 4 (%)", "rollout", "mAP: measured"])
        #expect(
            map.status == 0 && map.text.contains("ratio") && map.text.contains("and 93 more"),
            "\(map.text)\(map.errors)")
        let other = try why(["figure 4", "2", "baseline", "--spec", "segmentation"])
        #expect(other.status == 64 && other.errors.contains("there is no table"), "\(other.errors)")
        let misspelt = try why(["figure 4", "2", "baselin"])
        #expect(misspelt.status == 0, "the beginning of one header is enough: \(misspelt.errors)")
        let unknown = try why(["figure 9", "2", "baseline"])
        #expect(
            unknown.status == 64 && unknown.errors.contains("there is no table 'figure 9'")
                && unknown.errors.contains("Appendix A.5"), "\(unknown.errors)")
        let words = try why(["Tables 2 and 5", "2.", "largest"])
        #expect(words.status != 0 && words.errors.contains("error: "), "\(words.text)")
    }

    @Test func validateChecksEverySpec() throws {
        let study = try SmallStudy([
            "a.yaml": SmallSpecs.sparseText,
            "b.yaml": SmallSpecs.segmentation.replacing("neurons: 5", with: "neurones: 5"),
            "c.yaml": SmallSpecs.meanAblation,
            "d.yaml": SmallSpecs.meanAblation.replacing("model: emoji-clip", with: "model: no-such"),
            "e.yaml": SmallSpecs.meanAblation + "\nslurm: {partition: [1]}\n",
        ])
        let run = try RunnerProcess.run(["validate", "--spec", study.specs.path, "--results", study.results.path])
        #expect(run.status == 65, "the first error's: \(run.errors)")
        for words in ["a.yaml: sparse-text, ", "c.yaml: mean-ablation, "] {
            #expect(run.text.contains(words), "\(run.text)")
        }
        #expect(
            run.errors.contains("b.yaml:") && run.errors.contains("neurones") && run.errors.contains("no-such")
                && run.errors.contains("e.yaml:"), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: study.results.path), "nothing is computed or kept")
        let fine = try RunnerProcess.run(["validate", "--spec", study.specs.appendingPathComponent("a.yaml").path])
        #expect(fine.status == 0 && fine.errors.isEmpty, "\(fine.errors)")
    }

    /// Such a spec runs, and ends untrusted; who asks beforehand is told.
    @Test func validateWarnsOfEqualSets() throws {
        let study = try SmallStudy(["a.yaml": SmallSpecs.meanAblation.replacing("split: val}", with: "split: fit}")])
        let run = try RunnerProcess.run(["validate", "--spec", study.specs.path, "--results", study.results.path])
        #expect(run.status == 0 && run.text.contains("a.yaml: mean-ablation, "), "\(run.errors)")
        #expect(
            run.errors.contains("a.yaml: fit and evaluation are the same images (emoji-scenes/fit)"), "\(run.errors)")
    }
}
