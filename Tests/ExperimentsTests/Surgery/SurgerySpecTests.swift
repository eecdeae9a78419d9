import Pipeline
import Testing

@testable import Experiments

/// Specs of the three experiments on CLIP Surgery.
@Suite struct SurgerySpecTests {
    private static let controls = "controls: {accuracy-floor: 0.5}\n"
    private static let sensitivity = "sensitivity: {images: 2, depths: [2, 1], input-sizes: [12, 8]}\n"

    private func explainability(_ keys: String, facts: ModelFacts = SurgerySample.model) throws -> ExplainabilitySpec {
        var choices = SurgerySample.choices
        choices.model = facts
        return try ExplainabilitySpec(SurgerySample.document("explainability", keys), choices: choices)
    }

    private func segmentation(_ keys: String) throws -> OpenVocabularySpec {
        try OpenVocabularySpec(
            SurgerySample.document("open-vocabulary-segmentation", keys), choices: SurgerySample.choices)
    }

    private func recognition(_ keys: String) throws -> MultiLabelSpec {
        try MultiLabelSpec(
            SurgerySample.document("multi-label-recognition", keys), choices: SurgerySample.choices)
    }

    @Test func defaults() throws {
        let spec = try explainability(Self.sensitivity + Self.controls)
        // All three blocks, where the paper takes six.
        #expect(spec.surgery.depth == 3 && spec.surgery.inputSize == 8 && spec.overlays == 20)
        #expect(spec.secondOrder == nil && spec.surgery.setting.templates == nil && spec.surgery.setting.seed == 0)
        // Ascending, however the spec has them.
        #expect(
            spec.sensitivity.depths == [1, 2] && spec.sensitivity.inputSizes == [8, 12] && spec.sensitivity.images == 2)
        #expect(spec.controls.accuracyFloor == 0.5)
        var deep = SurgerySample.model
        deep.blocks = 24
        #expect(try explainability(Self.sensitivity + Self.controls, facts: deep).surgery.depth == 6)
        let open = try segmentation(Self.controls)
        #expect(open.surgery.depth == 3 && open.surgery.inputSize == 8 && open.overlays == 20)
        #expect(try recognition(Self.controls).inputSize == 8)
    }

    @Test func settings() throws {
        let keys = "depth: 2\ninput-size: 16\noverlays: 3\ntemplates: openai-simple-7\n" + Self.controls
        let spec = try segmentation(keys)
        #expect(spec.surgery.depth == 2 && spec.surgery.inputSize == 16 && spec.overlays == 3)
        #expect(spec.surgery.setting.templates == .openAISimple7)
        #expect(try explainability(keys + Self.sensitivity).surgery.inputSize == 16)
        #expect(try recognition("input-size: 4\n" + Self.controls).inputSize == 4)
        let row = try #require(
            try explainability(
                "second-order: {neurons: 7}\nfit: {dataset: d, split: fit}\nsignificant-images: 5\n" + Self.sensitivity
                    + Self.controls
            ).secondOrder)
        #expect(row.neurons == 7 && row.layers == [0, 1] && row.study.significantImages == 5)
        let chosen = try #require(
            try explainability(
                "second-order: {neurons: 6, layers: [1]}\nfit: {dataset: d, split: fit}\n" + Self.sensitivity
                    + Self.controls
            ).secondOrder)
        #expect(chosen.layers == [1])
    }

    /// The first fault.
    private func error(_ body: () throws -> some Any) throws -> SpecFault {
        try #require(try #require(throws: SpecError.self) { _ = try body() }.faults.first)
    }

    @Test func inputsThatPatchesDoNotFillAreNamedWithTheirLine() throws {
        let words = "10 pixels cannot be cut into patches of 4"
        let errors = [
            try error { try segmentation("depth: 2\ninput-size: 10\n" + Self.controls) },
            try error { try recognition("seed: 3\ninput-size: 10\n" + Self.controls) },
            try error { try explainability("depth: 2\ninput-size: 10\n" + Self.sensitivity + Self.controls) },
        ]
        for error in errors {
            #expect(error.kind == .invalid(key: "input-size", reason: words), "\(error)")
            #expect(error.position == SpecPosition(line: 6, column: 13), "\(error)")
        }
        let listed = try error { try explainability(Self.sensitivity.replacing("12", with: "10") + Self.controls) }
        #expect(
            listed.kind == .invalid(key: "sensitivity.input-sizes", reason: words) && listed.position?.line == 5,
            "\(listed)")
        for size in ["0", "-4", "4100"] {
            let error = try error { try segmentation("input-size: \(size)\n" + Self.controls) }
            #expect(error.kind == .outOfRange(key: "input-size", value: size, lower: "1", upper: "4096"), "\(error)")
        }
    }

    @Test func aPathNeedsItsBlocks() throws {
        for depth in ["0", "4"] {
            let wanted = SpecFault.Kind.outOfRange(key: "depth", value: depth, lower: "1", upper: "3")
            #expect(try error { try segmentation("depth: \(depth)\n" + Self.controls) }.kind == wanted)
            #expect(
                try error { try explainability("depth: \(depth)\n" + Self.sensitivity + Self.controls) }.kind == wanted)
        }
        let listed = try error {
            try explainability(Self.sensitivity.replacing("[2, 1]", with: "[1, 4]") + Self.controls)
        }
        #expect(listed.kind == .outOfRange(key: "sensitivity.depths", value: "4", lower: "1", upper: "3"))
        let twice = try error {
            try explainability(Self.sensitivity.replacing("[2, 1]", with: "[1, 1]") + Self.controls)
        }
        #expect(twice.kind == .duplicateElement(key: "sensitivity.depths", value: "1"))
    }

    @Test func fitImagesAndTheRowMadeOfThemComeTogether() throws {
        let without = try error {
            try explainability("second-order: {neurons: 3}\n" + Self.sensitivity + Self.controls)
        }
        #expect(without.kind == .missingKey("fit"))
        for key in ["fit: {dataset: d, split: fit}", "layers: [0]", "significant-images: 5"] {
            let error = try error { try explainability(key + "\n" + Self.sensitivity + Self.controls) }
            let name = String(key.prefix { $0 != ":" })
            let reason = "only 'second-order' makes use of it; write that too, or leave '\(name)' out"
            #expect(error.kind == .invalid(key: name, reason: reason) && error.position?.line == 5, "\(error)")
        }
        let row = "fit: {dataset: d, split: fit}\nsecond-order: "
        // Two layers of six neurons.
        for (value, kind) in [
            (
                "{neurons: 13}",
                SpecFault.Kind.outOfRange(key: "second-order.neurons", value: "13", lower: "1", upper: "12")
            ),
            ("{neurons: 7, layers: [1]}", .outOfRange(key: "second-order.neurons", value: "7", lower: "1", upper: "6")),
            ("{layers: [1]}", .missingKey("second-order.neurons")),
        ] {
            let error = try error { try explainability(row + value + "\n" + Self.sensitivity + Self.controls) }
            #expect(error.kind == kind, "\(value): \(error)")
        }
        let other = try error {
            try explainability(row + "{neurons: 3, layers: [2]}\n" + Self.sensitivity + Self.controls)
        }
        guard case .invalid("second-order.layers", _) = other.kind else {
            Issue.record("\(other)")
            return
        }
    }

    @Test func unknownAndMissingKeysAreNamed() throws {
        for (read, key) in [
            ({ try self.explainability("overlay: 3\n" + Self.sensitivity + Self.controls) as Any }, "overlay"),
            ({ try self.segmentation("depths: 3\n" + Self.controls) }, "depths"),
            ({ try self.segmentation(Self.sensitivity + Self.controls) }, "sensitivity"),
            ({ try self.recognition("depth: 3\n" + Self.controls) }, "depth"),
            ({ try self.recognition("overlays: 3\n" + Self.controls) }, "overlays"),
            ({ try self.explainability("threshold: 0.5\n" + Self.sensitivity + Self.controls) }, "threshold"),
            ({ try self.explainability(Self.sensitivity.replacing("depths", with: "depth") + Self.controls) }, "depth"),
        ] as [(() throws -> Any, String)] {
            let faults = try #require(throws: SpecError.self) { _ = try read() }.faults
            let unknown = faults.filter { if case .unknownKey(key, _, _) = $0.kind { true } else { false } }
            #expect(unknown.map(\.position?.line) == [5], "\(key): \(faults)")
        }
        #expect(try error { try explainability(Self.controls) }.kind == .missingKey("sensitivity"))
        #expect(try error { try explainability(Self.sensitivity) }.kind == .missingKey("controls"))
        #expect(try error { try segmentation("") }.kind == .missingKey("controls"))
        #expect(try error { try recognition("") }.kind == .missingKey("controls"))
    }

    /// Scenes have names of their own, and other ones would be read and then left unused.
    @Test func scenesTakeNoClassNames() throws {
        let keys = "class-names: names.txt\n" + Self.controls
        for read in [
            { try self.explainability(keys + Self.sensitivity) as Any }, { try self.segmentation(keys) },
            { try self.recognition(keys) },
        ] as [() throws -> Any] {
            let error = try error(read)
            guard case .invalid("evaluation", let reason) = error.kind else {
                Issue.record("\(error)")
                continue
            }
            #expect(reason.contains("names of their own"))
        }
    }
}
