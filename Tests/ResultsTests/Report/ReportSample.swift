import Foundation
import Foundations
import Pipeline
@testable import Results

/// A results folder with everything that a report shows, in which every text from data would like to be markup.
enum ReportSample {
    static let hostile =
        "</script><script>document.title='hostile'</script><img src=x onerror=\"document.title='hostile'\"> <!-- & &amp; '\" \u{202E}rtl =cmd"

    /// Four squares of 16 pixels: red, green, blue, yellow.
    static let jpeg =
        Data(
            base64Encoded:
                "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAgACADASIAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAAUEB//EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAXAQADAQAAAAAAAAAAAAAAAAAFBgcA/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AlABxzbAGS5OAOwg6EAl46//Z"
        ) ?? Data()

    /// Cards 0.0 … 1.29. The word `wordK` stands on every K-th card, `dog` on 0.3 and 1.20, `hot dog` on 0.7.
    static var deck: CardDeck {
        let words = ["dog", "hot dog", "dogma", "éclair", hostile] + (1...9).map { "word\($0)" }
        return CardDeck(
            title: "Neurons", notes: [hostile], grouping: "layer", groups: ["0", "1"],
            measures: [.init("explained", isShare: true)],
            pools: [
                .init(title: "words", words: words, measures: [.init("faithfulness", isShare: false)]),
                .init(title: hostile, words: ["a caption"], measures: []),
            ],
            cards: (0..<60).map { index in
                var shown = (1...9).filter { index % $0 == 0 }.map { $0 + 4 }
                switch index {
                case 3, 50: shown.append(0)
                case 7: shown.append(1)
                case 8: shown.append(3)
                case 9: shown.append(4)
                default: break
                }
                return .init(
                    group: index / 30, name: "\(index / 30).\(index % 30)", pictures: [index % 4, (index + 1) % 4],
                    strengths: [1.5, -0.25],
                    values: [index == 5 ? nil : Double(index) / 60],
                    texts: [
                        .init(
                            words: shown,
                            weights: shown.indices.map { (index == 50 ? 4 : 1) * ($0 % 2 == 0 ? 0.5 : -0.25) },
                            values: [Double(index % 7) / 10]), .init(words: [0], weights: [-1], values: []),
                    ])
            },
            pictures: (0..<4).map { .init(name: "fit/\($0)", caption: hostile) },
            sheets: .init(size: 16, columns: 2, rows: 2, count: 4, sheets: [jpeg]))
    }

    static var layout: TableLayout {
        TableLayout(
            title: "Table 1 \(hostile)", rowHeader: "layer",
            columns: [
                .init("measured", group: "accuracy"), .init("paper", group: "accuracy"), .init("words", isText: true),
            ],
            rows: [
                .init(
                    "0.3",
                    [.init("accuracy", ["layer": "0"]), .init("accuracy", ["layer": "0"], .paper), .text(hostile)]),
                .init("1", [.init("accuracy", ["layer": "1"]), .init("accuracy", ["layer": "1"], .paper), .text("")]),
            ], footnotes: ["A footnote."])
    }

    static func metric(_ layer: Int, _ value: Double) -> Metric {
        Metric(
            experiment: "sparse-text", world: "emoji", model: "emoji-clip", dataset: "val",
            subject: ["layer": "\(layer)"],
            name: "accuracy", value: value, unit: "share", n: 4000, skipped: 1,
            interval: .init(
                lower: value - 0.0625, upper: value + 0.0625, level: 0.95, method: "percentile bootstrap",
                replicates: 1000, seed: .max,
                resamplingUnit: "image"),
            paper: .init(0.632, source: "Table 1, row 2", halfUnit: 0.0005), note: hostile)
    }

    static var figures: [FigureLayout] {
        [
            FigureLayout(
                title: hostile, x: .init("layer"),
                y: .init("accuracy (%) \(hostile)", isShare: true, startsAtZero: true),
                curves: [.init(hostile, (0...1).map { .init(Double($0), .metric("accuracy", ["layer": "\($0)"])) })]),
            FigureLayout(
                title: "distribution", x: .init("share", isShare: true), y: .init("neurons"),
                curves: [.init("layer 0", distributionOf: [0.1, 0.12, 0.9], over: 0...1, bins: 10)], hasMarks: false),
        ]
    }

    static var pictures: PictureTable {
        PictureTable(
            title: "pictures", columnHeaders: ["image", hostile],
            rows: [
                .init(
                    header: "red",
                    cells: [.init(jpeg: jpeg, captions: [hostile, "+0.5"]), .init(jpeg: nil, captions: [])])
            ], width: 32,
            height: 32)
    }

    /// Writes attachments as a run does.
    static func write(_ attachments: [Attachment], of name: String, to folder: URL) throws -> [StoredAttachment] {
        try attachments.map { try CSVExport.write($0, to: OutputFolder(folder), as: "\(name)-\($0.name)") }
    }

    static var attachments: [Attachment] {
        get throws {
            [
                try Attachment(Attachment.figures, json: figures),
                try Attachment("neurons-\(CardDeck.fileSuffix)", json: deck),
                try Attachment("overlays-\(PictureTable.fileSuffix)", json: pictures),
                Attachment("overlays.png", .bytes(Data("drawn from the same pictures".utf8))),
            ]
        }
    }

    private static func claim(_ name: String, _ verdict: ClaimVerdict.Verdict, qualified: Bool = false) -> ClaimVerdict
    {
        ClaimVerdict(
            paper: "P", name: name, words: "\(name) \(hostile)", place: hostile, experiment: "sparse-text",
            verdict: verdict,
            isQualified: qualified, because: "at most 0.9 \(hostile)")
    }

    /// A database in `folder`: one experiment with everything, one not to be trusted and partial, one that failed.
    @discardableResult
    static func write(to folder: URL) throws -> URL {
        let url = folder.appendingPathComponent("results.sqlite")
        let database = try ResultsDatabase(writingTo: url)
        func begin(_ name: String, text: String = "# A comment. \(hostile)\na: 1\n", isPartial: Bool = false) throws
            -> ActiveRun
        {
            try database.begin(
                RunDescription(
                    experiment: name, spec: SpecDocument(text: text, path: "experiments/\(name).yaml"),
                    commit: "0123456789abcdef",
                    isDirty: true, host: .init(name: ProcessIdentity.current.host, cpu: hostile, cores: 2),
                    blasCore: "Haswell",
                    blasThreads: 1, versions: ["swift": "6"], isPartial: isPartial))
        }
        try database.end(
            begin("sparse-text"), as: .done,
            rows: RunRows(
                metrics: [metric(0, 0.5), metric(1, 0.8125)], layouts: [layout],
                attachments: write(attachments, of: "sparse-text", to: folder)),
            claims: [
                claim("few-phrases", .holds, qualified: true), claim("directions", .fails),
                claim("neurons", .notMeasured),
            ])
        try database.end(
            begin("mean-ablation", isPartial: true), as: .untrusted, rows: RunRows(metrics: [metric(2, 0.25)]),
            message: "baseline \(hostile)")
        try database.end(begin("mean-ablation", text: "b: 2\n"), as: .failed, message: "no room")
        try database.end(begin("segmentation"), as: .interrupted, message: hostile)
        try database.close()
        return url
    }
}
