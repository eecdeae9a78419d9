import Foundation
import Pipeline
import Testing

@testable import Experiments

/// A number is compared with the paper's only where everything that decides it is the paper's.
@Suite struct ComparabilityTests {
    private static let paper = Metric.PaperValue(0.5, source: "Table", halfUnit: 0.0005)

    /// The paper's own setting but for some keys.
    private func rows(_ edit: (String) -> String = { $0 }, isPapersModel: Bool = true) throws -> RowMaker {
        let text = edit(
            """
            experiment: e
            world: w
            model: m
            fit: {dataset: imagenet-train, sample: {every: 250}}

            """)
        let document = try SpecDocument(text: text, path: "/specs/spec.yaml")
        let study = try StudySpec(document, besides: [], choices: HandMade.choices) { _ in
            .init(layers: 0..<2, neurons: 6, published: isPapersModel ? "openai-vit-b-32" : nil)
        }
        return RowMaker("e", study, isPartial: false)
    }

    private func verdict(
        _ rows: RowMaker, of images: ImageSet = ImageSet(dataset: "imagenet-val", split: "", isPublished: true), isPapersSetting: Bool = true
    ) -> Metric.Verdict {
        rows.share("accuracy", [:], [true, false, true, false], of: images, paper: Self.paper, isPapersSetting: isPapersSetting).verdict
    }

    @Test func thePapersSettingIsCompared() throws {
        #expect(try verdict(rows()) == .match)
        #expect(try rows().standing(of: ImageSet(dataset: "imagenet-val", split: "", isPublished: true)) == "the same model and data")
    }

    @Test(arguments: [
        ("every: 250", "every: 251"), ("imagenet-train, sample: {every: 250}", "imagenet-r"), ("world: w", "world: w\nimage-activation: gelu"),
        ("world: w", "world: w\ntemplates: openai-simple-7"), ("world: w", "world: w\nclass-names: names.txt"),
        ("world: w", "world: w\nsignificant-images: 99"),
        ("fit: {dataset: imagenet-train, sample: {every: 250}}", "fit: {dataset: class-folders, path: imagenet-train, sample: {every: 250}}"),
    ]) func anotherSettingIsNot(from: String, to: String) throws {
        let rows = try rows { $0.replacing(from, with: to) }
        #expect(verdict(rows) == .notComparable)
        #expect(rows.standing(of: ImageSet(dataset: "imagenet-val", split: "", isPublished: true)).contains("not comparable"))
    }

    @Test func otherModelsPicturesAndSettingsAreNot() throws {
        #expect(try verdict(rows(isPapersModel: false)) == .notComparable)
        // Somebody's own pictures in a folder of that name.
        #expect(try verdict(rows(), of: ImageSet(dataset: "imagenet-val", split: "")) == .notComparable)
        #expect(try verdict(rows(), of: ImageSet(dataset: "imagenet-r", split: "", isPublished: true)) == .notComparable)
        #expect(try verdict(rows(), isPapersSetting: false) == .notComparable)
    }
}
