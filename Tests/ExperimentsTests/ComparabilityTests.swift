import Foundation
import Pipeline
import Testing

@testable import Experiments

/// A number is set beside the paper's only where everything that decides it is the paper's, as the paper's file says.
@Suite struct ComparabilityTests {
    private static func paper(_ number: String = "{row: second-order, column: accuracy, value: 50}") throws
        -> PaperTable
    {
        let text = """
            short: P
            reference: arXiv 1
            values:
              - table: Table 1
                decimals: 1
                settings: {model: openai-vit-b-32, fit: imagenet-train every 250, templates: openai-80, image-activation: quick_gelu}
                numbers:
                  - \(number)
            """
        return try Paper(SpecDocument(text: text, path: "paper.yaml")).tables[0]
    }

    private static let own = [
        "model": "openai-vit-b-32", "fit": "imagenet-train every 250", "templates": "openai-80",
        "image-activation": "quick_gelu",
    ]

    private func metric(
        _ settings: [String: String], _ others: [String: String] = [:], isPartial: Bool = false, paper: PaperTable
    ) throws -> Metric {
        let study = try HandMade.document("e", "seed: 1").read {
            StudySpec($0, besides: ["evaluation"], choices: HandMade.choices)
        }
        let rows = MetricBuilder("e", study.setting, settings: settings, isPartial: isPartial)
        #expect(
            rows.comparability(with: [paper["second-order", "accuracy"]], others).hasPrefix("not comparable")
                == !(paper["second-order", "accuracy"]?.differences(from: settings.merging(others) { $1 }).isEmpty
                ?? true))
        return rows.share(
            "accuracy", [:], [true, false, true, false], of: HandMade.images, paper: paper["second-order", "accuracy"],
            settings: others)
    }

    @Test func thePapersSettingIsCompared() throws {
        #expect(try metric(Self.own, paper: Self.paper()).verdict == .match)
    }

    @Test(arguments: ["model", "fit", "templates", "image-activation"])
    func anotherSettingIsNot(name: String) throws {
        var (other, unknown) = (Self.own, Self.own)
        other[name] = "another"
        // What is not stated cannot be known to be the same.
        unknown[name] = nil
        #expect(try metric(other, paper: Self.paper()).verdict == .notComparable)
        #expect(try metric(unknown, paper: Self.paper()).verdict == .notComparable)
    }

    /// Such as the layer, which decides one number and not the whole table.
    @Test func whatDecidesOneNumberCountsToo() throws {
        let paper = try Self.paper("{row: second-order, column: accuracy, value: 50, settings: {layer: 9}}")
        #expect(try metric(Self.own, ["layer": "9"], paper: paper).verdict == .match)
        #expect(try metric(Self.own, ["layer": "8"], paper: paper).verdict == .notComparable)
        #expect(try metric(Self.own, paper: paper).verdict == .notComparable)
        // A setting that the paper's file does not know may be another.
        #expect(try metric(Self.own, ["layer": "9", "gap": "0.9"], paper: paper).verdict == .notComparable)
    }

    @Test func tablesNameWhatDiffers() throws {
        var settings = Self.own
        (settings["fit"], settings["templates"]) = ("emoji-scenes fit", "t")
        let study = try HandMade.document("e", "seed: 1").read {
            StudySpec($0, besides: ["evaluation"], choices: HandMade.choices)
        }
        let number = try Self.paper()["second-order", "accuracy"]
        #expect(
            MetricBuilder("e", study.setting, settings: settings, isPartial: false).comparability(with: [number])
                == "not comparable, for another fit, templates")
        #expect(
            MetricBuilder("e", study.setting, settings: Self.own, isPartial: false).comparability(with: [number])
                == "the same in all that decides them")
        #expect(
            MetricBuilder("e", study.setting, settings: Self.own, isPartial: true).comparability(with: [number])
                .contains(
                    "a part of the images only"))
    }
}
