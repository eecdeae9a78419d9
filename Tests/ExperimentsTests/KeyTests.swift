import Foundation
import Inputs
import Pipeline
import Testing

@testable import Experiments

/// The keys of all steps of the committed specs whose data are here.
///
/// A key that changes has everything computed again that others have in their caches. Where that is meant, the file is
/// written anew by `CLIP_LENS_RECORD=1`, and the change is seen in review.
@Suite struct KeyTests {
    @Test func keysAreThoseThatWereRecorded() throws {
        let context = ExperimentContext(
            manifest: try DatasetsManifest(contentsOf: HandMade.repository.appendingPathComponent("datasets.manifest")))
        let folder = HandMade.repository.appendingPathComponent("experiments/emoji")
        let specs = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
            .sorted()
            .map { name -> SpecDocument in
                let url = folder.appendingPathComponent(name)
                return try SpecDocument(text: String(contentsOf: url, encoding: .utf8), path: url.path)
            }
        #expect(specs.count >= Registry.experiments.count)
        var graph = Graph()
        for spec in try Registry.inOrder(specs) { _ = try Registry.make(spec, context: context, graph: &graph) }
        let lines = graph.steps.map { "\($0.kind)\($0.label.isEmpty ? "" : " (\($0.label))") \($0.key.digest)" }

        let recorded = HandMade.repository.appendingPathComponent("Tests/ExperimentsTests/Fixtures/keys.txt")
        if ProcessInfo.processInfo.environment["CLIP_LENS_RECORD"] == "1" {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: recorded)
        }
        let expected = try String(contentsOf: recorded, encoding: .utf8).split(separator: "\n").map(String.init)
        let changed = lines.filter { !expected.contains($0) }
        #expect(changed.isEmpty, "keys that are not in Tests/ExperimentsTests/Fixtures/keys.txt: \(changed)")
        #expect(lines.count == expected.count)
    }
}
