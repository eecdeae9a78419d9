import Foundation
import Foundations
import Pipeline
import TestSupport
import Testing

@testable import Results

@Suite struct CSVTests {
    @Test func metricsAreOneLineEach() throws {
        let lines = try csv(Sample.metrics)
        #expect(
            lines[0] == """
                experiment,spec,world,model,dataset,layer,condition,metric,value,status,unit,\
                higher_is_better,n,skipped,ci_lower,ci_upper,ci_level,ci_method,ci_replicates,\
                ci_seed,ci_unit,paper_value,paper_source,paper_half_unit,partial,verdict,note
                """)
        #expect(
            lines[1] == """
                mean-ablation,deeper,emoji,emoji-clip,val,9,baseline,accuracy,0.871,ok,share,true,4000,1,\
                0.861,0.881,0.95,percentile bootstrap,1000,18446744073709551615,image,0.632,\
                "Table 1, row 2",0.0005,false,not comparable,a note
                """)
        #expect(lines[2].contains(",accuracy,,nan,share,"))
        #expect(lines.count == 7 && lines[6].isEmpty)
        #expect(!lines.joined().contains(",nan,,") && !lines.joined().contains("inf,0"))
    }

    @Test func predictionsStandInTheOrderOfTheirImages() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("predictions.csv")
        var set = Sample.predictions()
        set.predictions.reverse()
        try CSVExport.write([set], to: OutputFolder(url.deletingLastPathComponent()), as: url.lastPathComponent)
        let text = try String(contentsOf: url, encoding: .utf8)
        #expect(
            text == """
                experiment,layer,condition,image,label,prediction,margin\r
                mean-ablation,9,baseline,val/100000,red apple,'=cmd,0.25\r
                mean-ablation,9,baseline,val/100001,red apple,'=cmd,\r
                mean-ablation,9,baseline,val/100002,red apple,'=cmd,0.25\r

                """)
        #expect(try folder.names() == ["predictions.csv"])
    }

    @Test func setsOfOtherImagesOrOrdersStandInTheirOwnOrder() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("predictions.csv")
        func set(_ images: [Int]) -> PredictionSet {
            PredictionSet(
                experiment: "x", condition: [:],
                predictions: images.map { Prediction(imageID: "\($0)", label: "\($0)", prediction: "p", margin: nil) })
        }
        try CSVExport.write(
            [set([1, 10, 9]), set([1, 10, 9]), set([9, 10, 1]), set([2, 10]), set([])],
            to: OutputFolder(url.deletingLastPathComponent()), as: url.lastPathComponent)
        let rows = try String(contentsOf: url, encoding: .utf8).split(separator: "\r\n").dropFirst()
        #expect(
            rows.map { $0.split(separator: ",")[1] } == ["1", "10", "9", "1", "10", "9", "1", "10", "9", "10", "2"])
        #expect(
            rows.allSatisfy {
                let fields = $0.split(separator: ","); return fields[1] == fields[2]
            })
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""),
        ("two\nlines", "\"two\nlines\""), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"),
        ("@sum", "'@sum"), ("\tx", "'\tx"), (" =x", "' =x"), (" x ", "\" x \""), ("", ""),
        ("\u{202E}rtl", "\\u202ertl"), ("a\u{1B}[2J\r", "a\\u001b[2J\\u000d"),
        ("<b>", "<b>"), ("a\"\u{301}b", "\"a\"\"\u{301}b\""), ("  ", "\"  \""), ("=a,\"b\"", "\"'=a,\"\"b\"\"\""),
    ])
    func textsAreQuotedAndNeutral(text: String, field: String) {
        var writer = CSVWriter(header: [])
        writer.add([.text(text)])
        #expect(String(decoding: writer.data, as: UTF8.self) == "\r\n" + field + "\r\n")
    }

    @Test func numbersAreNeverTextOrNaN() {
        var writer = CSVWriter(header: ["a", "b", "c", "d"])
        writer.add([.number(-0.25), .number(.nan), .number(nil), .integer(-3)])
        #expect(String(decoding: writer.data, as: UTF8.self) == "a,b,c,d\r\n-0.25,,,-3\r\n")
    }

    @Test func columnsThatARowLacksAreEmpty() throws {
        var second = Sample.metric(0.5)
        second.subject = ["method": "second order"]
        let lines = try csv([Sample.metric(0.5), second])
        #expect(lines[0].contains(",layer,condition,method,metric,"))
        #expect(lines[1].contains(",9,baseline,,accuracy,"))
        #expect(lines[2].contains(",,,second order,accuracy,"))
    }

    private func csv(_ metrics: [Metric]) throws -> [String] {
        let folder = try TemporaryFolder()
        let url = folder.file("metrics.csv")
        try CSVExport.write(metrics, to: OutputFolder(url.deletingLastPathComponent()), as: url.lastPathComponent)
        return try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\r\n")
    }
}

@Suite struct TextTableTests {
    @Test func columnsAreAlignedUnderTheirGroups() {
        var table = TextTable(
            title: "Accuracy",
            columns: [
                .init("layer", .right), .init("baseline", .right),
                .init("all neurons", .right, group: "without"),
                .init("large norms", .right, group: "without"), .init("paper"),
            ])
        table.addHeading("second order")
        table.addRow(["9", "87.1", "46.3", "80.2", "–"])
        table.addRow(["10", "87.1 [86.0–88.2]"])
        table.addRule()
        table.addRow(["all", "", "", "", "63.2", "beyond"])
        table.addFootnote("Intervals: 95 %.")
        let expected = """
            Accuracy

                                     ─────── without ────────
            layer          baseline  all neurons  large norms  paper
            ─────  ────────────────  ───────────  ───────────  ─────
            second order
                9              87.1         46.3         80.2  –
               10  87.1 [86.0–88.2]
            ─────  ────────────────  ───────────  ───────────  ─────
              all                                              63.2

            Intervals: 95 %.

            """
        #expect(table.rendered() == expected)
    }

    @Test func widthsCountCharacters() {
        var table = TextTable(columns: [.init("é"), .init("b", .right)])
        table.addRow(["e\u{301}e\u{301}", "1"])
        table.addRow(["a\nb", "2\u{1B}"])
        #expect(table.rendered() == "é     b\n───  ──\ne\u{301}e\u{301}    1\na b  2\n")
    }

    @Test func aWideGroupNameWidensItsLastColumn() {
        var table = TextTable(columns: [
            .init("a", group: "a wide name"), .init("b", group: "a wide name"), .init("c"),
        ])
        table.addRow(["1", "2", "3"])
        #expect(table.rendered() == "a wide name\na  b         c\n─  ────────  ─\n1  2         3\n")
    }

    @Test func numbersAreFormattedWithTheirInterval() {
        #expect(NumberFormat.percent.text(Sample.metric(0.8714)) == "87.1 [86.1–88.1]")
        #expect(NumberFormat.percent.text(Sample.metric(.nan)) == "nan")
        #expect(NumberFormat.percent.text(nil) == "–")
        #expect(NumberFormat(decimals: 2).text(-0.001) == "0.00")
        #expect(NumberFormat(decimals: 3, suffix: " s").text(1.5) == "1.500 s")
        #expect(NumberFormat(decimals: 2).text(Sample.metric(0)) == "0.00 [-0.01 to 0.01]")
    }
}
