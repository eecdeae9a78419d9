import Foundation
import Pipeline
import Results
import Testing

/// `--profile` and `precision:` as a user asks for them.
@Suite(.serialized) struct ProfileRunTests {
    @Test func theProfileSaysWhereTheTimeWent() throws {
        let study = try SmallStudy(["a.yaml": SmallSpecs.meanAblation])
        let run = try RunnerProcess.run(study.arguments([], ["--profile"]))
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.text.contains("Where the time went") && run.text.contains("Peak of"), "\(run.text)")
        let lines = try String(contentsOf: study.file("profile.csv"), encoding: .utf8).split(separator: "\r\n")
        let ablation = lines.filter { $0.hasPrefix("ablation-predictions,") }
        #expect(
            ablation.contains { $0.contains(",other products,") }
                && ablation.contains { $0.contains(",norms through triangles,") }, "\(lines)")
        for line in lines.dropFirst() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            #expect(fields.count == 8 && fields.suffix(5).allSatisfy { Double($0).map { $0 >= 0 } ?? false }, "\(line)")
        }
        // Nothing to compute takes no time.
        let again = try RunnerProcess.run(study.arguments([], ["--profile"]))
        #expect(again.status == 0)
        #expect(try String(contentsOf: study.file("profile.csv"), encoding: .utf8).split(separator: "\r\n").count == 1)
        let cluster = try RunnerProcess.run(study.arguments([], ["--profile", "--executor", "slurm"]))
        #expect(cluster.status == 64)
    }

    @Test func bf16HasKeysAndNumbersOfItsOwn() throws {
        let rounded = SmallSpecs.meanAblation.replacing("model: emoji-clip", with: "model: emoji-clip\nprecision: bf16")
        let study = try SmallStudy(["exact.yaml": SmallSpecs.meanAblation, "rounded.yaml": rounded])
        let first = try RunnerProcess.run(study.arguments(["exact.yaml"]))
        #expect(first.status == 0, "\(first.errors)")
        let second = try RunnerProcess.run(study.arguments(["rounded.yaml"]))
        #expect(second.status == 0, "\(second.errors)")
        let database = try ResultsDatabase(readingFrom: study.file("results.sqlite"))
        let runs = try database.runs()
        let keys = try runs.map {
            Dictionary(try database.steps(of: $0.id).map { ("\($0.kind) \($0.label)", $0.key) }) { first, _ in first }
        }
        for (step, key) in keys[0] {
            // Pictures and labels have no model in them.
            let isShared = ["emoji-scenes", "image-facts", "overlap"].contains { step.hasPrefix($0) }
            #expect((keys[1][step] == key) == isShared, "\(step)")
        }
        let values = try runs.map {
            try database.metrics(of: $0).filter { $0.name == "accuracy" }.map { $0.value ?? -1 }
        }
        #expect(values[0].count == values[1].count && values[0].count > 10)
        let worst = zip(values[0], values[1]).map { abs($0 - $1) }.max() ?? 1
        #expect(worst <= 0.08, "of 96 images a few turn: \(worst)")
        #expect(try runs.allSatisfy { run in try database.metrics(of: run).allSatisfy { !$0.isComparable } })
        let unknown = try RunnerProcess.run(
            ["validate", "--spec", try write(rounded.replacing("bf16", with: "fp8"), in: study).path])
        #expect(
            unknown.status == 65 && unknown.errors.contains("fp32") && unknown.errors.contains("bf16"),
            "\(unknown.errors)")
    }

    private func write(_ text: String, in study: SmallStudy) throws -> URL {
        let url = study.folder.appendingPathComponent("other.yaml")
        try Data(text.utf8).write(to: url)
        return url
    }
}
