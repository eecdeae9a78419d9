import Foundation
import Foundations
import Pipeline

/// One page with everything that a results folder holds for people: tables, plots, cards, pictures, and where each
/// number comes from. It needs nothing beside it: no network, no server, no other file.
///
/// Equal databases and attachments give equal bytes, with one version of gnuplot.
public struct ResultsReport {
    private let runs: [ReportedRun]
    private let fruitless: [FruitlessRun]

    /// Bytes of a page that can still be sent by mail.
    public static let largestPage = 15_000_000

    /// - Parameter folder: where the run left its attachments.
    /// - Throws: `ResultsError`.
    public init(_ database: ResultsDatabase, folder: URL) throws {
        (runs, fruitless) = try database.reportedRuns(in: folder) { name in
            name == Attachment.figures
                || [PictureTable.fileSuffix, CardDeck.fileSuffix, ".png"].contains { name.hasSuffix($0) }
        }
    }

    /// Whether there is nothing to show.
    public var isEmpty: Bool { runs.isEmpty && fruitless.isEmpty }

    /// Attachments that are missing or not what the run left, by their files.
    public var unbelievable: [String] {
        runs.flatMap(\.attachments).filter { if case .intact = $0.content { false } else { true } }.map(\.file)
    }

    /// - Throws: `EncodingError`.
    public func html() throws -> Data { try html(gnuplot: Gnuplot()) }

    func html(gnuplot: Gnuplot?) throws -> Data {
        // Base64 takes a third more, tables and cards the rest.
        var page = ReportPage(gnuplot: gnuplot, room: Self.largestPage / 3)
        let sections = runs.enumerated().map { page.section($1, id: Self.id($0)) }
        let script = String(decoding: PackageResources.report_js, as: UTF8.self)
        let style = String(decoding: PackageResources.report_css, as: UTF8.self)
        let policy =
            "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'sha256-\(Self.base64Digest(of: script))'; base-uri 'none'; form-action 'none'"
        let html: HTML = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title)</title>
            <link rel="icon" href="data:,">
            <style>\(HTML(markup: style))</style></head><body>
            <a class="skip" href="#main">Skip to the results</a>
            \(header)<div class="columns">\(contents(decks: page.decks))<main id="main" tabindex="-1">
            \(claims)\(summary)\(sections)\(withoutRows)</main></div>
            <dialog id="origin" aria-labelledby="origin-title"><form method="dialog"><button class="plain" autofocus>Close</button></form><div></div></dialog>
            <script type="application/json" id="provenance">\(try HTML.json(page.provenance))</script>
            \(try page.decks.enumerated().map { try $1.data($0) })<script>\(HTML(markup: script))</script></body></html>

            """
        return Data(html.source.utf8)
    }

    private static func id(_ index: Int) -> String { "experiment-\(index + 1)" }

    /// SHA-256 as a content security policy has it.
    private static func base64Digest(of text: String) -> String {
        Digest.sha256Bytes(of: Data(text.utf8)).base64EncodedString()
    }

    // MARK: Top

    private static func list(_ values: [String]) -> String {
        var seen: Set<String> = []
        return values.filter { !$0.isEmpty && seen.insert($0).inserted }.joined(separator: ", ")
    }

    private var worlds: String { Self.list(runs.compactMap(\.metrics.first?.world)) }
    private var models: String { Self.list(runs.compactMap(\.metrics.first?.model)) }
    private var title: String { "Results" + (worlds.isEmpty ? "" : ": \(worlds)") }

    private var header: HTML {
        let times = (runs.map(\.run) + fruitless.map(\.run)).map(\.startedAt).sorted()
        let when = times.first.map { first in
            let (from, to) = (ReportWords.time(first), ReportWords.time(times.last ?? first))
            return from == to ? from : "\(from) to \(to)"
        }
        let facts: [(String, String)] = [
            ("model", models), ("runs", when ?? ""),
            ("commit", Self.list(runs.map { ReportWords.shortCommit($0.run) })),
            ("host", Self.list(runs.map { "\($0.run.host.name) (\($0.run.host.cpu))" })),
        ]
        return
            "<header><h1>\(title)</h1><p class=\"facts\">\(facts.filter { !$0.1.isEmpty }.map { "<span>\($0.0) <b>\($0.1)</b></span> " as HTML })</p></header>\n"
    }

    private func contents(decks: [DeckOfPage]) -> HTML {
        let experiments = runs.enumerated().map { index, run -> HTML in
            "<li><a href=\"#\(Self.id(index))\">\(run.name.description)</a></li>\n"
        }
        let cards = decks.enumerated().map { index, deck -> HTML in
            "<li class=\"search\"><a href=\"#word-\(index)\">\(deck.deck.title): search by word</a></li>\n"
        }
        return
            "<nav aria-label=\"Contents\"><ol>\(ledger.entries.isEmpty ? nil : "<li><a href=\"#claims\">Claims</a></li>\n" as HTML)<li><a href=\"#summary\">Summary</a></li>\n\(cards)\(experiments)</ol></nav>\n"
    }

    private var ledger: ClaimLedger { ClaimLedger(runs.map { ($0.name.spec, $0.claims, $0.run.isPartial) }) }

    /// What stands of the papers' claims, before any number.
    private var claims: HTML {
        let ledger = ledger
        guard !ledger.entries.isEmpty else { return "" }
        let rows = ledger.entries.map { entry -> HTML in
            let style =
                switch entry.verdict.verdict {
                case .holds: entry.verdict.isQualified ? "warn" : "ok"
                case .fails: "bad"
                case .undecided, .depends, .notMeasured: "warn"
                }
            let partial: HTML = entry.isPartial ? " <span class=\"badge warn\">partial</span>" : ""
            return
                "<tr><th scope=\"row\">\(entry.verdict.words)</th><td>\(entry.verdict.source)</td><td><span class=\"\(style)\">\(entry.verdict.mark)</span>\(partial)</td><td>\(entry.verdict.because)</td></tr>\n"
        }
        return """
            <section id="claims"><h2>\(ClaimLedger.title)</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Claims"><table>
            <thead><tr><th scope="col">claim</th><th scope="col">source</th><th scope="col">here</th><th scope="col">because</th></tr></thead><tbody>
            \(rows)</tbody></table></div>
            <p class="foot">\(ledger.summary). \(ClaimLedger.note)</p></section>

            """
    }

    private var summary: HTML {
        let rows = runs.enumerated().map { index, reported -> HTML in
            let run = reported.run
            let state: HTML =
                switch run.state {
                case .ended(.done): "<span class=\"ok\">controls held</span>"
                case .ended(.untrusted): "<span class=\"bad\">control failed: \(run.message ?? "")</span>"
                default: "<span class=\"warn\">\(ReportWords.state(run.state))</span>"
                }
            let later: HTML =
                reported.later.map { "; <span class=\"warn\">later run \(ReportWords.state($0.state))</span>" } ?? ""
            let bad = reported.metrics.count { ![.ok, .notRun].contains($0.status) }
            let missing: HTML = bad > 0 ? "; <span class=\"bad\">\(bad) without a value</span>" : ""
            return """
                <tr><th scope="row"><a href="#\(Self.id(index))">\(reported.name.description)</a>\(ReportPage.badges(reported))</th><td>\(state)\(later)\(missing)</td><td class="right">\(reported.metrics.count)</td><td>\(ReportWords.time(reported.source.startedAt))</td><td class="right">\(ReportWords.duration(reported.seconds))</td><td><code>\(ReportWords.shortCommit(run))</code></td><td>\(run.host.name), \(run.blasCore)</td></tr>

                """
        }
        guard !rows.isEmpty else {
            return
                "<section id=\"summary\"><h2>Summary</h2><p class=\"missing\">No run has given numbers yet.</p></section>\n"
        }
        return """
            <section id="summary"><h2>Summary</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Summary"><table>
            <thead><tr><th scope="col">experiment</th><th scope="col">standing</th><th scope="col" class="right">numbers</th><th scope="col">computed</th><th scope="col" class="right">took</th><th scope="col">commit</th><th scope="col">host, BLAS core</th></tr></thead><tbody>
            \(rows)</tbody></table></div>
            <p class="foot">A click on a number, or Enter, says where it comes from. A paper's value stands beside ours for the eye: what may be compared with it says so in its verdict. Time: of all steps behind the numbers, whenever they were computed; experiments share some.</p></section>

            """
    }

    private var withoutRows: HTML {
        guard !fruitless.isEmpty else { return "" }
        let rows = fruitless.map { entry -> HTML in
            "<li><b>\(entry.name.description)</b>: run \(Int(entry.run.id)), \(ReportWords.time(entry.run.startedAt)), <span class=\"bad\">\(ReportWords.state(entry.run.state))</span>\(entry.run.message.map { ": \($0)" } ?? "")</li>\n"
        }
        return "<section id=\"without\"><h2>Without numbers</h2><ul>\(rows)</ul></section>\n"
    }
}
