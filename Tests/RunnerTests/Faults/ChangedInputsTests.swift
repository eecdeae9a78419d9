import Foundation
import Results
import Testing

/// What a run depends on changes under it, or under the same name.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct ChangedInputsTests {
    /// The run keeps to the text that it read; the edited spec is another run.
    @Test func aSpecThatIsEditedDuringARun() throws {
        let run = try KillTests.prepared()
        defer { run.remove() }
        let started = try run.start(Fault(kind: .hang, at: 12, only: "/shards/"))
        defer { started.running.process.terminate() }
        try started.waitForFault()
        let edited = FaultRun.text.replacingOccurrences(of: "significant-images: 8", with: "significant-images: 7")
        #expect(edited != FaultRun.text)
        try Data(edited.utf8).write(to: run.spec)
        kill(started.running.process.processIdentifier, SIGINT)
        kill(started.running.process.processIdentifier, SIGTERM)
        let first = try started.end()
        #expect(!first.committed.isEmpty, "the run had not begun")

        let second = try run.run()
        #expect(second.status == 0, "\(second.errors)")
        let database = try ResultsDatabase(readingFrom: run.database)
        let runs = try database.runs(of: "mean-ablation")
        #expect(runs.map(\.specText) == [edited, FaultRun.text])
        #expect(runs[0].specDigest != runs[1].specDigest)
        let rows = try run.rows()
        #expect(try rows.metrics != FaultRun.undisturbed.get().rows.metrics, "the edit has no effect")

        // And the first text gives the first rows.
        try Data(FaultRun.text.utf8).write(to: run.spec)
        let back = try run.run()
        #expect(try back.status == 0 && run.rows() == FaultRun.undisturbed.get().rows, "\(back.errors)")
    }

    @Test func weightsThatAreReplacedUnderTheSameName() throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        let copy = try BadInputTests.Copy()
        defer { try? FileManager.default.removeItem(at: copy.folder) }
        let manifest = ["--manifest", copy.manifest.path]
        let same = try run.run(nil, manifest)
        #expect(same.status == 0 && same.text.contains("Nothing to compute"), "\(same.errors)")

        try copy.scale("vision_model.post_layernorm.weight", by: 1.5)
        try BadWeightsTests().renewDigests(copy)
        let plan = try RunnerProcess.run(
            ["plan", "--spec", run.spec.path, "--results", run.results.path, "--limit", "32"] + manifest)
        #expect(plan.status == 0, "\(plan.errors)")
        // Pictures do not depend on the model; everything else does, and says why.
        let steps = plan.text.components(separatedBy: "\n").filter { $0.wholeMatch(of: /.* [0-9a-f]{12}  .*/) != nil }
        #expect(steps.count > 8, "\(plan.text)")
        for step in steps {
            let isOfPictures = ["emoji-scenes", "image-facts", "overlap"].contains { step.hasPrefix($0) }
            #expect(isOfPictures == step.contains("its artefact is there"), "\(step)")
            #expect(isOfPictures || step.contains("another model") || step.contains("other "), "\(step)")
        }
        let other = try run.run(nil, manifest)
        #expect(other.status == 0, "\(other.errors)")
        let rows = try run.rows()
        #expect(try rows.metrics != FaultRun.undisturbed.get().rows.metrics)
        #expect(
            other.errors.contains("effect-means: done") && !other.errors.contains("emoji-scenes: done"),
            "\(other.errors)")
    }
}
