import Foundation
import GRDB
import Pipeline
import TestSupport
import Testing

@testable import Results

/// The ledger over runs, in every form, and the verdicts in the database.
@Suite struct ClaimLedgerTests {
    private static func verdict(_ verdict: ClaimVerdict.Verdict, name: String = "a", qualified: Bool = false)
        -> ClaimVerdict
    {
        ClaimVerdict(
            paper: "P", name: name, words: "words of \(name) | more", place: "section 1", experiment: "mean-ablation",
            verdict: verdict,
            isQualified: qualified, because: "12.0 <x> [11.0, 13.0], bound 5")
    }

    private func ledger(_ runs: [ClaimVerdict]..., partial: Bool = false) -> ClaimLedger {
        ClaimLedger(runs.enumerated().map { ("spec\($0)", $1, partial) })
    }

    @Test func claimsOfAllRunsStandOnce() throws {
        let ledger = ledger(
            [Self.verdict(.holds), Self.verdict(.fails, name: "b")], [Self.verdict(.holds, name: "c", qualified: true)])
        #expect(
            ledger.entries.map(\.verdict.mark) == ["holds", "fails", "holds*"]
                && ledger.entries.map(\.specs) == [["spec0"], ["spec0"], ["spec1"]])
        #expect(ledger.summary == "2 holds, 1 fails")
    }

    /// Two specs of one experiment, of which each has its own images.
    @Test(arguments: [
        (ClaimVerdict.Verdict.holds, ClaimVerdict.Verdict.holds, ClaimVerdict.Verdict.holds),
        (.fails, .holds, .depends), (.holds, .undecided, .undecided),
        (.notMeasured, .fails, .fails), (.notMeasured, .notMeasured, .notMeasured), (.depends, .holds, .depends),
    ])
    func specsOfOneExperimentMayDisagree(
        first: ClaimVerdict.Verdict, second: ClaimVerdict.Verdict, expected: ClaimVerdict.Verdict
    ) throws {
        let entry = try #require(ledger([Self.verdict(first)], [Self.verdict(second)]).entries.first)
        #expect(entry.verdict.verdict == expected && entry.specs == ["spec0", "spec1"])
    }

    @Test func claimsThatNoRunDecidesStandToo() throws {
        let papers = try Papers(in: ClaimJudgeTests.folder)
        let ledger = ClaimLedger([], papers: papers)
        #expect(ledger.entries.count == 21 && ledger.entries.allSatisfy { $0.verdict.verdict == .notMeasured })
        #expect(
            ledger.entries[0].verdict.because == "explainability was not run" && ledger.summary == "21 not measured")
    }

    @Test func textIsWrapped() throws {
        let text = ledger([Self.verdict(.holds), Self.verdict(.fails, name: "another")], partial: true).text(width: 44)
        #expect(text.hasPrefix("What the papers claim, and what of it stands here — PARTIAL"))
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
        #expect(
            lines.contains("    12.0 <x> [11.0, 13.0], bound 5") && lines.contains { $0.hasSuffix("holds") }
                && lines.contains("1 holds, 1 fails."))
    }

    @Test func markdownIsOneTable() throws {
        let text = ledger([Self.verdict(.holds, qualified: true)]).markdown()
        let row = try #require(text.split(separator: "\n").dropFirst(2).first)
        #expect(row == "| words of a \\| more | P, section 1 | **holds\\*** | 12.0 &lt;x> [11.0, 13.0], bound 5 |")
    }

    @Test func csvAndJSONHaveEveryField() throws {
        let ledger = ledger([Self.verdict(.undecided, qualified: true)], partial: true)
        let lines = String(decoding: ledger.csv(), as: UTF8.self).split(whereSeparator: \.isNewline)
        try #require(lines.count == 2)
        #expect(lines[0] == "paper,name,claim,place,experiment,specs,verdict,qualified,partial,because")
        #expect(
            lines[1]
                == "P,a,words of a | more,section 1,mean-ablation,spec0,undecided,true,true,\"12.0 <x> [11.0, 13.0], bound 5\""
        )
        let object = try #require(try JSONSerialization.jsonObject(with: ledger.json()) as? [String: [[String: Any]]])
        let claim = try #require(object["claims"]?.first)
        #expect(
            claim["verdict"] as? String == "undecided" && claim["qualified"] as? Bool == true
                && claim["specs"] as? [String] == ["spec0"])
        #expect(claim.count == 10)
    }

    // MARK: Stored

    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func write(_ claims: [ClaimVerdict]) throws -> Int64 {
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: RunRows(metrics: Sample.metrics), claims: claims)
        try database.close()
        return run.id
    }

    /// Also of a run whose rows are those of an earlier one, whose verdicts are its own.
    @Test func verdictsComeBackWithTheirRun() throws {
        let (first, second) = (
            try write([Self.verdict(.holds), Self.verdict(.fails, name: "b", qualified: true)]),
            try write([Self.verdict(.undecided)])
        )
        let database = try ResultsDatabase(readingFrom: folder.file("results.sqlite"))
        #expect(
            try database.claims(of: database.run(first)) == [
                Self.verdict(.holds), Self.verdict(.fails, name: "b", qualified: true),
            ])
        #expect(try database.claims(of: database.run(second)) == [Self.verdict(.undecided)])
        #expect(try database.ledger().entries.map(\.verdict.verdict) == [.undecided])
    }

    @Test(arguments: [
        "UPDATE claim SET verdict = 'fails'", "UPDATE claim SET because = 'x'", "UPDATE claim SET qualified = 1",
        "DELETE FROM claim",
        "DELETE FROM claim_check",
    ])
    func aChangedVerdictIsNotBelieved(change: String) throws {
        let run = try write([Self.verdict(.holds)])
        try DatabaseQueue(path: folder.file("results.sqlite").path).write { db in
            try db.execute(sql: change)
            #expect(db.changesCount > 0)
        }
        let database = try ResultsDatabase(readingFrom: folder.file("results.sqlite"))
        let error = #expect(throws: ResultsError.self) { try database.claims(of: database.run(run)) }
        guard case .damaged(_, let message) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(message.contains("claims of run \(run)"))
        #expect(throws: ResultsError.self) { try database.ledger() }
    }
}
