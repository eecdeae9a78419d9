import Foundation
import Testing

/// `text-activation` changes what is made of texts, and nothing that is made of pictures alone.
@Suite struct TextActivationTests {
    static let texts = [
        "a.yaml": SmallSpecs.meanAblation + "\nindirect-sample: {neurons: 2, images: 16}",
        "b.yaml": SmallSpecs.sparseText,
        "c.yaml": SmallSpecs.segmentation, "d.yaml": SmallSpecs.conceptDiscovery,
    ]

    /// The keys of all steps by experiment and step.
    private func keys(_ activation: String?) throws -> [String: String] {
        let study = try SmallStudy(Self.texts.mapValues { $0 + (activation.map { "\ntext-activation: \($0)" } ?? "") })
        let output = try RunnerProcess.run(["plan"] + study.arguments())
        #expect(output.status == 0, "\(output.errors)")
        var (keys, experiment) = ([String: String](), "")
        for line in output.text.split(separator: "\n") {
            if let match = line.wholeMatch(of: /(\S.*?) {2,}([0-9a-f]{12}) .*/) {
                // Steps of one name, such as the scenes of the same split with another limit, have one key.
                keys["\(experiment): \(match.1)"] = String(match.2)
            } else if line.wholeMatch(of: /[a-z]+-?[a-z]*/) != nil {
                experiment = String(line)
            }
        }
        return keys
    }

    @Test func keysChangeWhereTextsComeIn() throws {
        let (configured, gelu) = (try keys(nil), try keys("gelu"))
        #expect(try keys("as-configured") == configured)
        // What the model's configuration says.
        #expect(try keys("quick_gelu") == configured)
        #expect(configured.keys == gelu.keys && configured.count > 30)
        func kinds(_ isIncluded: (String) -> Bool) -> Set<String> {
            Set(configured.keys.filter(isIncluded).map { String($0.split(separator: ": ")[1].prefix { $0 != " " }) })
        }
        #expect(
            kinds { configured[$0] == gelu[$0] } == [
                "emoji-scenes", "image-facts", "effect-sums", "effect-means", "largest-effects", "principal-directions",
                "sampled-effects",
                "neuron-effects", "decomposition-check", "overlap", "card-pictures",
            ])
        #expect(
            kinds { configured[$0] != gelu[$0] } == [
                "zero-shot-classifier", "ablation-predictions", "text-pool", "sparse-texts", "sparse-predictions",
                "faithfulness",
                "segmentation", "segmentation-sensitivity", "segmentation-overlays", "concept-phrases",
                "concept-gallery", "random-dictionary",
                "phrase-similarities",
            ])
    }

    @Test func numbersChangeWithTheActivation() throws {
        let study = try SmallStudy([
            "a.yaml": SmallSpecs.meanAblation, "gelu.yaml": SmallSpecs.meanAblation + "\ntext-activation: gelu",
        ])
        func margins(_ spec: String) throws -> [Double] {
            let output = try RunnerProcess.run(study.arguments([spec], limit: 32))
            #expect(output.status == 0, "\(output.errors)")
            let rows = try String(contentsOf: study.file("mean-ablation-predictions.csv"), encoding: .utf8)
            return rows.split(separator: "\r\n").dropFirst().compactMap {
                $0.split(separator: ",").last.flatMap { Double($0) }
            }
        }
        func computed(_ step: String) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: study.file("cache/\(step)").path).count
        }
        let (configured, gelu) = (try margins("a.yaml"), try margins("gelu.yaml"))
        #expect(configured.count > 32 && configured.count == gelu.count)
        #expect(zip(configured, gelu).count { $0 != $1 } > configured.count / 2)
        #expect(try computed("effect-means") == 1 && computed("principal-directions") == 1)
        #expect(try computed("zero-shot-classifier") == 2 && computed("ablation-predictions") == 2)
    }

    @Test func anotherNonLinearityIsRefused() throws {
        let study = try SmallStudy(["a.yaml": SmallSpecs.meanAblation + "\ntext-activation: tanh"])
        let output = try RunnerProcess.run(study.arguments())
        #expect(output.status == 65)
        #expect(
            output.errors.contains("'text-activation' is 'tanh'")
                && output.errors.contains("as-configured, quick_gelu, gelu"))
    }
}
