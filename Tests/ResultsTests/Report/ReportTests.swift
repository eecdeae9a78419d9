import Foundation
import Foundations
import Pipeline
import TestSupport
import Testing

@testable import Results

/// The page of a results folder: what stands in it, and that text from data stays text.
@Suite struct ReportTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func page(gnuplot: Gnuplot? = Gnuplot()) throws -> String {
        let database = try ResultsDatabase(readingFrom: folder.file("results.sqlite"))
        let report = try ResultsReport(database, folder: folder.url)
        try database.close()
        return String(decoding: try report.html(gnuplot: gnuplot), as: UTF8.self)
    }

    private func count(_ text: String, in page: String) -> Int { page.components(separatedBy: text).count - 1 }

    /// What the script reads.
    private func json(_ id: String, in page: String) throws -> Any {
        let start = try #require(page.range(of: "<script type=\"application/json\" id=\"\(id)\">"))
        let end = try #require(page[start.upperBound...].range(of: "</script>"))
        return try JSONSerialization.jsonObject(with: Data(page[start.upperBound..<end.lowerBound].utf8))
    }

    @Test func tablesLeadToWhereTheirNumbersComeFrom() throws {
        try ReportSample.write(to: folder.url)
        let page = try page()
        #expect(page.contains("50.0 <small>[43.8–56.2]</small></button>") && page.contains(">63.2</button>"))
        let provenance = try #require(try json("provenance", in: page) as? [String: Any])
        let numbers = try #require(provenance["numbers"] as? [[String: Any]])
        #expect(numbers.count == 2, "one for each metric, the paper's column included")
        let facts = try #require(numbers.first?["facts"] as? [[String]])
        let byTitle = Dictionary(facts.map { ($0[0], $0[1]) }) { first, _ in first }
        #expect(
            byTitle["value"] == "0.5 (share)" && byTitle["n"] == "4000, and 1 skipped"
                && byTitle["note"] == ReportSample.hostile)
        #expect(
            byTitle["by"]?.contains("seed 18446744073709551615") == true
                && byTitle["paper"]?.contains("Table 1, row 2") == true)
        let runs = try #require(provenance["runs"] as? [[String: Any]])
        #expect(runs.count == 2 && (runs[0]["spec"] as? String)?.hasPrefix("# A comment.") == true)
        // Every button leads to a number that there is.
        for match in page.matches(of: /data-n="(\d+)"/) { #expect(Int(match.1).map(numbers.indices.contains) == true) }
    }

    @Test func textFromDataStaysText() throws {
        try ReportSample.write(to: folder.url)
        let page = try page()
        // Provenance, one deck, the page's own script.
        #expect(count("<script", in: page) == 3 && count("</script>", in: page) == 3)
        #expect(
            !page.contains("<img src=x") && !page.contains("document.title='hostile'</") && !page.contains("<!-- &"))
        #expect(page.contains("&lt;/script&gt;&lt;script&gt;document.title=&#39;hostile&#39;"))
        let deck = try #require(try json("deck-0", in: page) as? [String: Any])
        let pictures = try #require(deck["pictures"] as? [[String: Any]])
        #expect(pictures.first?["caption"] as? String == ReportSample.hostile)
        #expect(HTML.escaped("a\u{0}b\u{1B}[31m<") == "a\u{FFFD}b\u{FFFD}[31m&lt;")
        #expect(try HTML.json(["</script><!--"]).source == "[\"\\u003C/script>\\u003C!--\"]")
    }

    @Test func whatMustNotBeTakenAsItStandsSaysSo() throws {
        try ReportSample.write(to: folder.url)
        let page = try page()
        for mark in [
            "do not trust</span>", "partial</span>", "gave no numbers: failed: no room", "Without numbers",
            "interrupted</span>",
        ] {
            #expect(page.contains(mark), "\(mark)")
        }
        // That run's program kept no tables.
        #expect(page.contains("runner --spec experiments/mean-ablation.yaml</code> once more"))
    }

    @Test func claimsStandBeforeTheNumbers() throws {
        try ReportSample.write(to: folder.url)
        let page = try page()
        let (claims, summary) = (
            try #require(page.range(of: "id=\"claims\"")), try #require(page.range(of: "id=\"summary\""))
        )
        #expect(claims.lowerBound < summary.lowerBound && page.contains("href=\"#claims\""))
        for mark in [
            "<span class=\"warn\">holds*</span>", "<span class=\"bad\">fails</span>",
            "<span class=\"warn\">not measured</span>", "1 holds, 1 fails, 1 not measured.",
        ] {
            #expect(page.contains(mark), "\(mark)")
        }
    }

    /// A browser runs no other script; this is the digest that it takes of the page's own.
    @Test func thePolicyNamesThePagesScript() throws {
        try ReportSample.write(to: folder.url)
        let page = try page()
        let script = try #require(page.matches(of: /<script>(.*?)<\/script>/.dotMatchesNewlines()).last?.1)
        let digits = Array(Digest.sha256(of: Data(script.utf8)).utf8).map(Int.init)
        let policy = try #require(page.firstMatch(of: /script-src &#39;sha256-([A-Za-z0-9+\/=]+)&#39;/)?.1)
        let bytes = try #require(Data(base64Encoded: String(policy)))
        #expect(bytes.flatMap { String(format: "%02x", $0).utf8.map(Int.init) } == digits)
    }

    @Test func equalResultsGiveEqualBytes() throws {
        try ReportSample.write(to: folder.url)
        let page = try page()
        #expect(try self.page() == page)
        let deck = try Attachment("", json: ReportSample.deck)
        let data = try #require(deck.bytes)
        #expect(page.utf8.count < data.count + 120_000, "\(page.utf8.count) bytes for a deck of \(data.count)")
    }

    @Test(.enabled(if: Gnuplot() != nil, "gnuplot is not installed")) func figuresTakeTheColoursOfThePage() throws {
        try ReportSample.write(to: folder.url)
        let page = try page()
        #expect(
            count("role=\"img\"", in: page) == 2 && page.contains("stroke='var(--c1)'") && page.contains("var(--rule)"))
        // The page's own style has colours; drawings have none.
        let drawings = page.matches(of: /<svg viewBox="0 0 560.*?<\/svg>/.dotMatchesNewlines()).map(\.0)
        #expect(
            drawings.count == 2
                && drawings.allSatisfy { !$0.contains("black") && !$0.contains("rgb(") && !$0.contains("white") })
        #expect(
            !page.contains("XTITLE") && !page.contains("YTITLE") && page.contains("<text>accuracy (%) &lt;/script&gt;"))
        let identifiers = page.matches(of: /\ id=["']([^"']+)["']/).map { String($0.1) }
        #expect(Set(identifiers).count == identifiers.count, "every name on the page is one thing's")
    }

    @Test func withoutGnuplotThePageSaysSo() throws {
        try ReportSample.write(to: folder.url)
        let page = try page(gnuplot: nil)
        #expect(count("Not drawn: gnuplot is not installed", in: page) == 2 && page.contains("50.0 <small>"))
    }

    @Test func filesThatAreNotTheRunsAreNotShown() throws {
        try ReportSample.write(to: folder.url)
        try Data("[]".utf8).write(to: folder.file("sparse-text-figures.json"))
        try FileManager.default.removeItem(at: folder.file("sparse-text-neurons-cards.json"))
        let database = try ResultsDatabase(readingFrom: folder.file("results.sqlite"))
        let report = try ResultsReport(database, folder: folder.url)
        #expect(report.unbelievable.sorted() == ["sparse-text-figures.json", "sparse-text-neurons-cards.json"])
        let page = try page()
        #expect(page.contains("<strong>sparse-text-figures.json</strong> is not the file that the run left"))
        #expect(page.contains("<strong>sparse-text-neurons-cards.json</strong> is not in the results folder"))
        #expect(!page.contains("id=\"deck-0\"") && page.contains("50.0 <small>"))
    }

    @Test func aDatabaseNamesOnlyFilesBesideIt() throws {
        let secret = folder.url.deletingLastPathComponent().appendingPathComponent(
            "secret-\(UUID().uuidString)-cards.json")
        try Data("x".utf8).write(to: secret)
        defer { try? FileManager.default.removeItem(at: secret) }
        for name in ["../\(secret.lastPathComponent)", secret.path, "", ".hidden", "a\0b"] {
            let file = AttachedFile(
                .init(name: "x-cards.json", file: name, sha256: Digest.sha256(of: Data("x".utf8))), in: folder.url)
            guard case .missing = file.content else {
                Issue.record("\(name) was read")
                continue
            }
        }
    }

    /// Decks, tables of pictures and figures with a few bytes changed, their digests with them: a page comes out.
    @Test func damagedListsGiveAPage() throws {
        var random = SplitMix(state: 7)
        let sources = try ReportSample.attachments.compactMap { attachment -> (String, Data)? in
            guard let data = attachment.bytes, attachment.name.hasSuffix(".json") else { return nil }
            return (attachment.name, data)
        }
        let database = try ResultsDatabase(readingFrom: try ReportSample.write(to: folder.url))
        let runs = try database.reportedRuns(in: folder.url) { _ in false }.runs
        var refused = 0
        for round in 0..<300 {
            var (name, data) = sources[round % sources.count]
            for _ in 0...random.below(3) {
                let place = random.below(data.count)
                // Mostly digits and brackets: other bytes seldom leave it JSON.
                data[place] = Array("0123456789-.,[]{}\"ne".utf8)[random.below(20)]
            }
            let url = folder.file("mutated.json")
            try data.write(to: url)
            let file = AttachedFile(
                .init(name: name, file: "mutated.json", sha256: Digest.sha256(of: data)), in: folder.url)
            var page = ReportPage(gnuplot: nil, room: 1000)
            let run = runs[0]
            let html = page.section(
                ReportedRun(
                    name: run.name, run: run.run, source: run.source, steps: [], metrics: run.metrics, layouts: [],
                    claims: [], attachments: [file],
                    later: nil), id: "x")
            if html.source.contains("cannot be read as what it should be") { refused += 1 }
            for (index, deck) in page.decks.enumerated() { _ = try deck.data(index) }
        }
        #expect(refused > 30 && refused < 300, "\(refused) of 300 refused")
    }
}

/// Numbers that are the same in every run.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }
}

extension Pipeline.Attachment {
    /// The bytes of a file; nil for a list.
    fileprivate var bytes: Data? {
        if case .bytes(let data) = content { data } else { nil }
    }
}
