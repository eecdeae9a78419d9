import Pipeline
import Results
import Testing

/// Layouts filled with metrics: numbers, parts of numbers, and words.
@Suite struct MetricTableTests {
    private func rendered(_ cells: [TableLayout.Cell], _ columns: [TableLayout.Column], metrics: [Metric]) -> [String] {
        let layout = TableLayout(
            title: "t", rowHeader: "row", columns: columns, rows: [.init("r", cells)], footnotes: ["Note."])
        let lines = MetricTable.make(layout, metrics: metrics).rendered().split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "t" && lines.dropLast().last == "Note.")
        return lines.map(String.init)
    }

    private let subject: Subject = ["layer": "9", "condition": "baseline"]

    @Test func eachPartOfAMetricIsPrinted() {
        let lines = rendered(
            [.init("accuracy", subject), .init("accuracy", subject, .value), .init("accuracy", subject, .paper)],
            [.init("a"), .init("b"), .init("c")], metrics: [Sample.metric(0.8714)])
        #expect(lines[2] == "row                 a     b     c")
        #expect(lines[4] == "r    87.1 [86.1–88.1]  87.1  63.2")
    }

    @Test func aValueThatIsMissingSaysWhy() {
        let cells: [TableLayout.Cell] = [.init("accuracy", subject, .value), .init("accuracy", subject)]
        let nan = rendered(cells, [.init("a"), .init("b")], metrics: [Sample.metric(.nan)])
        #expect(nan[4] == "r    nan  nan")
        let notRun = rendered(
            cells, [.init("a"), .init("b")], metrics: [Sample.metric(1).without(.notRun, because: nil)])
        #expect(notRun[4] == "r    not_run  not_run")
        #expect(rendered(cells, [.init("a"), .init("b")], metrics: [])[4] == "r    –  –")
    }

    @Test func numbersThatAreNoSharesAreNotPercentages() {
        var metric = Sample.metric(0.8714)
        metric.unit = "correlation"
        #expect(rendered([.init("accuracy", subject, .value)], [.init("a")], metrics: [metric])[4] == "r    0.871")
    }

    @Test func theOrderOfASubjectsColumnsDoesNotMatter() {
        let turned: Subject = ["condition": "baseline", "layer": "9"]
        #expect(
            rendered([.init("accuracy", turned, .value)], [.init("a")], metrics: [Sample.metric(0.5)])[4] == "r    50.0"
        )
        // Another value of a column is another metric.
        let other: Subject = ["condition": "baseline", "layer": "8"]
        #expect(
            rendered([.init("accuracy", other, .value)], [.init("a")], metrics: [Sample.metric(0.5)])[4] == "r    –")
    }

    @Test func wordsStandAsTheyAreAndAtTheLeft() {
        let lines = rendered(
            [.text("12.5"), .text("+dog (0.31), −cat"), .text("two\nlines")],
            [.init("share"), .init("the phrases of a neuron", isText: true), .init("x")], metrics: [])
        #expect(lines[2] == "row  share  the phrases of a neuron          x")
        #expect(lines[4] == "r     12.5  +dog (0.31), −cat        two lines")
    }

    @Test func layoutsComeBackFromJSON() throws {
        let layout = TableLayout(
            title: "t", rowHeader: "r", columns: [.init("a", group: "g", isText: true)],
            rows: [
                .init("x", [.init("accuracy", subject, .value), .text("words"), .init("accuracy", subject, .paper)])
            ])
        #expect(try ArtefactJSON.decode(TableLayout.self, from: ArtefactJSON.encode(layout)) == layout)
    }
}
