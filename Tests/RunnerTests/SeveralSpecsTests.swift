import Foundation
import Testing

/// Several experiments in one run: by their names, or as a folder.
@Suite struct SeveralSpecsTests {
    static let texts = ["a-concepts.yaml": SmallSpecs.conceptDiscovery, "b-ablation.yaml": SmallSpecs.meanAblation]

    private func tables(_ output: RunnerProcess.Output) -> [String] {
        output.text.split(separator: "\n").map(String.init).filter {
            $0.contains("PARTIAL") && !$0.hasPrefix("What the papers claim")
        }
    }

    private func document(_ output: RunnerProcess.Output) throws -> (
        state: String?, experiments: [String], error: String?
    ) {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any])
        let rows = try #require(object["rows"] as? [[String: Any]])
        var names: [String] = []
        for row in rows.compactMap({ $0["experiment"] as? String }) where names.last != row { names.append(row) }
        return (object["state"] as? String, names, object["error"] as? String)
    }

    @Test func specsRunInTheOrderOfThePaperWhateverTheirOrder() throws {
        let study = try SmallStudy(Self.texts)
        let named = try RunnerProcess.run(study.arguments(["a-concepts.yaml", "b-ablation.yaml"], limit: 32))
        #expect(named.status == 0, "\(named.errors)")
        let titles = tables(named)
        #expect(titles.count == 3)
        #expect(
            titles.first?.hasPrefix("Figure 3") == true && titles.last?.hasPrefix("Appendix A.5") == true, "\(titles)")
        let first = try study.files()
        #expect(
            Set(first.keys) == [
                "mean-ablation.csv", "mean-ablation-predictions.csv", "concept-discovery.csv",
                "concept-discovery-images.csv", "concept-discovery-gallery.png",
            ])

        // The folder is the same two specs, and nothing is left to compute.
        let folder = try RunnerProcess.run(study.arguments(limit: 32))
        #expect(folder.status == 0, "\(folder.errors)")
        #expect(tables(folder) == titles)
        #expect(folder.text.components(separatedBy: "Nothing to compute").count == 3)
        #expect(try study.files() == first)

        let json = try document(RunnerProcess.run(study.arguments([], ["--json"], limit: 32)))
        #expect(json.state == "done" && json.error == nil)
        #expect(json.experiments == ["mean-ablation", "concept-discovery"])
    }

    @Test func anUntrustedTableDoesNotTakeTheOtherWithIt() throws {
        var texts = Self.texts
        texts["b-ablation.yaml"] = SmallSpecs.meanAblation.replacingOccurrences(
            of: "accuracy-floor: 0.3", with: "accuracy-floor: 1.0")
        let study = try SmallStudy(texts)
        let output = try RunnerProcess.run(study.arguments(limit: 32))
        #expect(output.status == 3)
        #expect(tables(output).count == 3)
        let warnings = output.text.components(separatedBy: "DO NOT TRUST THIS TABLE")
        #expect(warnings.count == 3 && warnings.last?.contains("Appendix A.5") == true)
        // The reason stands beside the table that it is about, and once more at the end.
        #expect(output.errors.contains("below the floor") && output.text.contains("below the floor"))
        let rows = try String(contentsOf: study.file("concept-discovery.csv"), encoding: .utf8)
        #expect(rows.contains("true-phrases") && !rows.contains("untrusted"))

        let json = try document(RunnerProcess.run(study.arguments([], ["--json"], limit: 32)))
        #expect(json.state == "untrusted" && json.error?.contains("below the floor") == true)
        #expect(json.experiments == ["mean-ablation", "concept-discovery"])
    }

    /// A pool whose size is known only when its captions are there: the run of its experiment ends in the middle.
    @Test func anExperimentThatFailsLeavesTheOthersTable() throws {
        var texts = Self.texts
        texts["a-concepts.yaml"] = SmallSpecs.conceptDiscovery
            .replacingOccurrences(of: "{name: own, file: pool.txt}", with: "{name: said, source: captions}")
            .replacingOccurrences(of: "sizes: [1, 4]", with: "sizes: [1, 4, 97]")
        let study = try SmallStudy(texts)
        let output = try RunnerProcess.run(study.arguments(limit: 32))
        #expect(output.status == 65)
        #expect(tables(output).count == 2)
        #expect(
            output.errors.contains("concept-discovery: step text-pool (said): the pool 'said' has"), "\(output.errors)")
        #expect(output.errors.contains("but 97 are to be chosen for a neuron"))
        #expect(output.errors.contains("fix:   take a larger pool or smaller sizes"))
        #expect(try Set(study.files().keys) == ["mean-ablation.csv", "mean-ablation-predictions.csv"])

        let json = try document(RunnerProcess.run(study.arguments([], ["--json"], limit: 32)))
        #expect(json.state == "failed" && json.error?.hasPrefix("concept-discovery: ") == true)
        #expect(json.experiments == ["mean-ablation"])
    }

    @Test func oneSpecThatCannotBeReadIsRefusedBeforeAnyWork() throws {
        var texts = Self.texts
        texts["a-concepts.yaml"] = SmallSpecs.conceptDiscovery.replacingOccurrences(of: "phrases: 3", with: "phrase: 3")
        let study = try SmallStudy(texts)
        let output = try RunnerProcess.run(study.arguments(limit: 32))
        #expect(output.status == 65 && output.text == "")
        #expect(
            output.errors.contains("a-concepts.yaml:") && output.errors.contains("did you mean 'phrases'?"),
            "\(output.errors)")
        #expect(!FileManager.default.fileExists(atPath: study.results.path))
    }

    @Test func thePlanShowsEveryExperiment() throws {
        let study = try SmallStudy(Self.texts)
        let output = try RunnerProcess.run(["plan"] + study.arguments(limit: 32))
        #expect(output.status == 0, "\(output.errors)")
        let titles = output.text.split(separator: "\n").filter { ["mean-ablation", "concept-discovery"].contains($0) }
        #expect(titles == ["mean-ablation", "concept-discovery"])
        #expect(!FileManager.default.fileExists(atPath: study.results.path))
    }

    @Test func aFolderWithoutSpecsAndNoFolderAtAll() throws {
        let study = try SmallStudy(["notes.txt": "experiment: mean-ablation"])
        for command in [[], ["plan"]] {
            let empty = try RunnerProcess.run(command + study.arguments(limit: 32))
            #expect(empty.status == 66)
            #expect(empty.errors.contains("no specs (*.yaml) in this folder"), "\(empty.errors)")
            #expect(empty.errors.contains("fix: "))
        }
        let missing = try RunnerProcess.run(["--spec", study.folder.appendingPathComponent("none").path])
        #expect(missing.status == 66)
        #expect(missing.errors.contains("there is no such file"))
        #expect(try RunnerProcess.run(["--results", study.results.path]).status == 64)
    }
}
