import Foundation
import Pipeline
import Results
import Testing
import TestSupport

/// `runner report` as a user starts it.
@Suite struct ReportRunTests {
    /// The experiments' own attachments: figures, cards, pictures; the same for any number of workers.
    @Test func aRunLeavesWhatAReportShows() throws {
        let study = try SmallStudy([
            "mean-ablation.yaml": SmallSpecs.meanAblation, "sparse-text.yaml": SmallSpecs.sparseText,
            "segmentation.yaml": SmallSpecs.segmentation,
        ])
        let run = try RunnerProcess.run(study.arguments([], ["--jobs", "1"]))
        try #require(run.status == 0, "\(run.errors)")
        let made = try RunnerProcess.run(["report", "--results", study.results.path])
        #expect(
            made.status == 0 && made.errors.isEmpty && made.text.contains("report.html"), "\(made.text)\(made.errors)")
        let page = try String(contentsOf: study.file("report.html"), encoding: .utf8)
        #expect(page.utf8.count < 6_000_000, "\(page.utf8.count) bytes")
        // Figure 3; Figure 4 of two pools and two distributions.
        #expect(page.matches(of: /<figure class="plot">/).count == 5)
        for text in [
            "Table 1 (%)", "Tables 2 and 5", "Table 4 (%)", "id=\"deck-0\"",
            "maps of the class that the model predicts", "partial</span>",
        ] {
            #expect(page.contains(text), "\(text)")
        }
        let deck = try JSONDecoder().decode(
            CardDeck.self, from: Data(contentsOf: study.file("sparse-text-neurons-cards.json")))
        #expect(
            deck.isConsistent && deck.groups == ["0", "2"] && deck.cards.count == 2 * 768
                && deck.pools.map(\.title) == ["own", "captions"])
        #expect(
            deck.pictures.count == 96 && deck.cards.allSatisfy { $0.pictures.count == 8 && Set($0.pictures).count == 8 }
        )
        // Directions are signed so that most of the largest effects lie along them.
        let along = deck.cards.reduce(0) { $0 + $1.strengths.count { $0 > 0 } }
        #expect(along > deck.cards.count * 4, "\(along) of \(deck.cards.count * 8)")

        let other = try SmallStudy(["sparse-text.yaml": SmallSpecs.sparseText])
        try #require(RunnerProcess.run(other.arguments([], ["--jobs", "3"])).status == 0)
        let name = "sparse-text-neurons-cards.json"
        #expect(try Data(contentsOf: other.file(name)) == Data(contentsOf: study.file(name)))

        // Elsewhere, the same page; nothing else is written.
        let elsewhere = try ProcessFolder.make().appendingPathComponent("page.html")
        #expect(
            try RunnerProcess.run(["report", "--results", study.results.path, "--output", elsewhere.path]).status == 0)
        #expect(try String(contentsOf: elsewhere, encoding: .utf8) == page)
    }

    @Test func exitCodes() throws {
        let folder = try ProcessFolder.make()
        let nothing = try RunnerProcess.run(["report", "--results", folder.path])
        #expect(nothing.status == 66 && nothing.errors.contains("fix:"), "\(nothing.errors)")
        try ResultsDatabase(writingTo: folder.appendingPathComponent("results.sqlite")).close()
        let empty = try RunnerProcess.run(["report", "--results", folder.path])
        #expect(empty.status == 66 && empty.errors.contains("no experiment was run"), "\(empty.errors)")
        for output in [folder.path, "\(folder.path)/results.sqlite/report.html", "\(folder.path)/missing/report.html"] {
            let refused = try RunnerProcess.run(["report", "--results", folder.path, "--output", output])
            #expect(
                refused.status == 73 && refused.errors.contains("--output"),
                "\(output): \(refused.status) \(refused.errors)")
        }
        try Data("no database".utf8).write(to: folder.appendingPathComponent("results.sqlite"))
        #expect(try RunnerProcess.run(["report", "--results", folder.path]).status == 65)
        #expect(try RunnerProcess.run(["report", "--results", ""]).status == 64)
    }
}
