import Foundation
import TestSupport
import Testing

/// The committed specs of CLIP Surgery for the real worlds, on a model and data sets of the same layout and a small size.
@Suite struct SurgerySpecsTests {
    @Test(arguments: [("vit-b-16", 12), ("vit-l-14", 24)]) func everySpecRuns(world: String, layers: Int) throws {
        let tiny = try TinyWorld(world, specs: "surgery", layers: layers)
        defer { try? FileManager.default.removeItem(at: tiny.folder) }
        try DataSetFixtures.install(
            ["voc-2012", "pascal-context", "coco-2017"], into: tiny.folder.appendingPathComponent("data"))
        // The miniature has no other part, and few pictures in that.
        try tiny.edit("explainability-voc-2012", "split: train}", "split: val}")
        try tiny.edit("explainability-voc-2012", "significant-images: 10", "significant-images: 2")
        let specs = try FileManager.default.contentsOfDirectory(atPath: tiny.specs.path).sorted()
        #expect(specs.count == 5)
        let arguments = tiny.arguments(specs.map { String($0.dropLast(".yaml".count)) })
        let run = try RunnerProcess.run(arguments)
        try #require(run.status == 0, "\(run.errors.suffix(1500))")
        for title in [
            "Explainability (%)", "Open-vocabulary segmentation (%)", "Multi-label recognition (%)", "second order",
        ] {
            #expect(run.text.contains(title), "\(title)")
        }
        // Each spec has rows of its own.
        for spec in specs {
            let rows = try tiny.result(spec.replacing(".yaml", with: ".csv"))
            // Of so few and large patches a label may cover the half of none.
            let other = rows.split(whereSeparator: \.isNewline).filter { !$0.contains("attention-within-label") }
            #expect(
                rows.contains("openai-\(world)") && !other.contains { $0.contains("not_run") },
                "\(spec): \(rows.prefix(300))")
        }
        let inputs = try tiny.result("explainability-voc-2012-inputs.json")
        #expect(
            inputs.contains("there is one {} in the scene.") == false && inputs.contains("this is one {} in the scene.")
        )
        let second = try RunnerProcess.run(arguments)
        #expect(
            second.status == 0 && second.text.components(separatedBy: "Nothing to compute").count - 1 == specs.count)
    }
}
