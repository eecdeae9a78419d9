import Foundation
import Pipeline
import TestSupport
import Testing

@testable import Results

/// From a printed number to what is behind it.
@Suite struct TraceTests {
    private let layouts = [
        TableLayout(
            title: "Figure 3: accuracy", rowHeader: "layer",
            columns: [
                .init("baseline"), .init("all neurons", group: "without"), .init("large norms", group: "without"),
                .init("words", isText: true),
            ],
            rows: [
                .init(
                    "9",
                    [
                        .init("accuracy", ["layer": "9", "condition": "baseline"]),
                        .init("accuracy", ["layer": "9", "condition": "without"]),
                        .init("mean-iou", ["condition": "x", "layer": "9"]), .text("dog"),
                    ]),
                .init("10", [.init("accuracy", ["layer": "10", "condition": "baseline"])]),
            ]),
        TableLayout(title: "Figure 4: accuracy", rowHeader: "layer", columns: [.init("baseline")], rows: []),
    ]

    private func place(_ table: String, _ row: String, _ column: String) throws -> NumberPlace {
        try NumberPlace(table: table, row: row, column: column, among: layouts)
    }

    @Test func placesAreFoundByWhatStandsThere() throws {
        #expect(try place("figure 3", "9", "all").column.header == "all neurons")
        #expect(try place("Figure 3: accuracy", "10", "without: large norms").column.header == "large norms")
        // A whole header goes before one that begins so.
        #expect(
            try place("Figure 3", "9", "baseline").cell == .init("accuracy", ["layer": "9", "condition": "baseline"]))
        // A row that ends early has nothing there.
        #expect(try place("Figure 3", "10", "words").cell == .text(""))
    }

    @Test func whatIsNotThereOrNotOneIsSaid() {
        #expect(throws: NumberPlace.LookupError.ambiguous(.table, "figure", candidates: layouts.map(\.title))) {
            try place("figure", "9", "baseline")
        }
        #expect(
            throws: NumberPlace.LookupError.notFound(
                .column, "baselin e",
                candidates: [
                    "baseline", "without: all neurons", "without: large norms", "words",
                ], nearest: "baseline")
        ) { try place("Figure 3", "9", "baselin e") }
        #expect(throws: NumberPlace.LookupError.notFound(.row, "77", candidates: ["9", "10"], nearest: nil)) {
            try place("Figure 3", "77", "baseline")
        }
        #expect(
            throws: NumberPlace.LookupError.ambiguous(
                .column, "without", candidates: ["without: all neurons", "without: large norms"])
        ) {
            try place("Figure 3", "9", "without")
        }
    }

    @Test func aNumberLeadsToItsImages() throws {
        let folder = try TemporaryFolder()
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        var accuracy = Sample.metric(0.5)
        accuracy.n = 2
        var iou = Sample.metric(0.25, condition: "x", name: "mean-iou")
        iou.terms = ImageTerms(
            images: ["val/high", "val/low"],
            [.init(image: 0, numerator: 2, denominator: 4), .init(image: 1, numerator: 0, denominator: 4)])
        let predictions = PredictionSet(
            experiment: "mean-ablation", condition: ["layer": "9", "condition": "baseline"],
            predictions: [
                Prediction(imageID: "val/1", label: "dog", prediction: "dog", margin: 3),
                Prediction(imageID: "val/2", label: "cat", prediction: "dog", margin: 0.5),
            ])
        let run = try database.begin(Sample.description())
        try database.end(
            run, as: .done, rows: RunRows(metrics: [accuracy, iou], predictions: [predictions], layouts: layouts))
        let stored = try database.run(run.id)

        let answers = try #require(try NumberTrace(place("Figure 3", "9", "baseline"), in: stored, of: database)).text(
            images: 1)
        #expect(answers.contains("50.0 [49.0–51.0] %") && answers.contains("1 of 2 are right"), "\(answers)")
        #expect(
            answers.contains("val/2") && !answers.contains("val/1 ") && answers.contains("and 1 more"), "\(answers)")
        #expect(
            answers.contains("63.2, Table 1, row 2: not comparable") && answers.contains("0123abcd, with changes"),
            "\(answers)")
        let terms = try #require(try NumberTrace(place("Figure 3", "9", "large norms"), in: stored, of: database)).text(
            images: 5)
        let (low, high) = (try #require(terms.range(of: "val/low")), try #require(terms.range(of: "val/high")))
        #expect(low.lowerBound < high.lowerBound && terms.contains("0.5000"), "\(terms)")
        // Words, and a number that the run does not have.
        #expect(try NumberTrace(place("Figure 3", "9", "words"), in: stored, of: database) == nil)
        #expect(try NumberTrace(place("Figure 3", "10", "baseline"), in: stored, of: database) == nil)
    }
}
