import Foundation
import Testing

/// Pools of phrases from strangers, through the whole program.
@Suite struct PoolInputTests {
    private func refusal(_ text: String, pool: Data?) throws -> RunnerProcess.Output {
        let study = try SmallStudy(["spec.yaml": text])
        let url = study.specs.appendingPathComponent("pool.txt")
        try FileManager.default.removeItem(at: url)
        try pool?.write(to: url)
        let output = try RunnerProcess.run(study.arguments(["spec.yaml"]))
        #expect(output.text == "" && output.errors.contains("error: ") && output.errors.contains("fix: "))
        #expect(!FileManager.default.fileExists(atPath: study.results.path))
        return output
    }

    @Test(arguments: [
        ("dog\ncat\nbird\nfish\ndog\n", "pool.txt:5: the phrase stands on line 1 already"),
        ("dog\r\ncat\r\n\r\nfish\r\nbird\r\n", "pool.txt:3: the line is empty"),
        ("dog\ncat\nbird\n", "the pool 'own' has 3 phrases, but 4 are to be chosen for a neuron"),
        ("", "the pool 'own' has 0 phrases, but 4 are to be chosen for a neuron"),
    ])
    func phrasesThatCannotBeChosenFrom(pool: String, words: String) throws {
        for text in [SmallSpecs.sparseText, SmallSpecs.conceptDiscovery] {
            let output = try refusal(text, pool: Data(pool.utf8))
            #expect(output.status == 65)
            #expect(output.errors.contains(words), "\(output.errors)")
        }
    }

    @Test func filesThatAreNoPools() throws {
        let bytes = try refusal(SmallSpecs.sparseText, pool: Data([0x64, 0xFF, 0x0A]))
        #expect(bytes.status == 65 && bytes.errors.contains("it is not UTF-8 text"), "\(bytes.errors)")
        let missing = try refusal(SmallSpecs.sparseText, pool: nil)
        #expect(
            missing.status == 66 && missing.errors.contains("/specs/pool.txt: the pool of phrases was not read"),
            "\(missing.errors)")
    }

    @Test(arguments: [
        ("{name: own, file: pool.txt}", "{name: own}", "a pool has one of 'source', 'file' and 'data'"),
        (
            "{name: own, file: pool.txt}", "{name: own, file: pool.txt, source: captions}",
            "a pool has one of 'source', 'file' and 'data'"
        ),
        ("{name: own, file: pool.txt}", "{name: own, source: caption}", "did you mean 'captions'?"),
        ("{name: own, file: pool.txt}, ", "", "spec.yaml:12:21: 'description.pool' is 'own'"),
        ("{name: captions, source", "{name: own, source", "there are two pools called 'own'"),
        ("description: {pool: own, size: 4", "description: {pool: own, size: 3", "3 is none of the sizes [1, 4]"),
        (
            "pools: [{name: own, file: pool.txt}, {name: captions, source: captions}]", "pools: []",
            "'pools' is an empty list"
        ),
    ])
    func poolsOfASpec(old: String, new: String, words: String) throws {
        let text = SmallSpecs.sparseText.replacingOccurrences(of: old, with: new)
        #expect(text != SmallSpecs.sparseText)
        let output = try refusal(text, pool: Data(SmallSpecs.pool.utf8))
        #expect(output.status == 65)
        #expect(output.errors.contains(words), "\(output.errors)")
    }

    @Test func conceptDiscoveryTakesOnePool() throws {
        let text = SmallSpecs.conceptDiscovery.replacingOccurrences(
            of: "{name: own, file: pool.txt}", with: "{name: own, file: pool.txt}, {name: said, source: captions}")
        let output = try refusal(text, pool: Data(SmallSpecs.pool.utf8))
        #expect(output.status == 65)
        #expect(output.errors.contains("this experiment takes one pool, here are 2"), "\(output.errors)")
    }
}
