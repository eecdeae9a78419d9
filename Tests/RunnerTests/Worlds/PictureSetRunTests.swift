import Foundation
import Testing

/// Every kind of picture set through the whole program: an archive, a folder or a table of a few pictures in
/// the format in which people have it.
@Suite struct PictureSetRunTests {
    @Test(arguments: PictureSetCase.classified) func meanAblationRuns(set: PictureSetCase) throws {
        var study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try set.prepare(study)
        try run(set, &study, "mean-ablation", writeSpec: { try $0.writeMeanAblation(fit: set.fit, evaluation: set.evaluation) })
    }

    @Test(arguments: PictureSetCase.segmented) func segmentationRuns(set: PictureSetCase) throws {
        var study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try set.prepare(study)
        try run(set, &study, "segmentation", writeSpec: { try $0.writeSegmentation(fit: set.fit, evaluation: set.evaluation) })
        let scores = try String(contentsOf: study.results.appendingPathComponent("segmentation-images.csv"), encoding: .utf8)
        for id in try set.labels().keys { #expect(scores.contains("\(set.dataset)/\(id)"), "\(id)") }
    }

    /// Runs, runs again where the data lie elsewhere, and again where they are others.
    private func run(
        _ set: PictureSetCase, _ study: inout PictureStudy, _ experiment: String, writeSpec: (PictureStudy) throws -> Void
    ) throws {
        try writeSpec(study)
        let first = try study.run()
        try #require(first.status == 0, "\(first.errors)")
        let labels = try set.labels()
        let expected = Dictionary(uniqueKeysWithValues: labels.map { ("\(set.dataset)/\($0.key)", $0.value) })
        let outcome = try study.outcome(experiment)
        #expect(outcome.labels == expected)
        #expect(outcome.counts == ["fit": set.fitCount, "evaluation": labels.count])
        #expect(outcome.computed.isSuperset(of: ["pictures", "classifier"]), "\(outcome.computed)")
        #expect(outcome.skipped.isEmpty)

        try study.moveData()
        try writeSpec(study)
        let moved = try study.run()
        try #require(moved.status == 0, "\(moved.errors)")
        #expect(moved.text.contains("Nothing to compute"), "\(moved.text.suffix(300))")
        #expect(try study.outcome(experiment).labels == expected)

        try set.change(study)
        let changed = try study.run()
        try #require(changed.status == 0, "\(changed.errors)")
        let last = try study.outcome(experiment)
        #expect(last.computed.contains("pictures"), "\(last.computed)")
        #expect(!last.computed.contains("classifier"), "what classes are called has not changed")
        #expect(last.labels == expected)
    }
}
