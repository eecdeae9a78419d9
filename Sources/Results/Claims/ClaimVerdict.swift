import Pipeline

/// What became of a paper's claim in one run.
public struct ClaimVerdict: Codable, Hashable, Sendable {
    public enum Verdict: String, Codable, CaseIterable, Sendable {
        /// The intervals of all that the claim is about lie on the right side of their bounds; or some on the wrong one.
        case holds, fails
        /// An interval spans its bound.
        case undecided
        /// Settings of one world disagree.
        case depends
        /// A number that it is about is missing.
        case notMeasured = "not measured"
    }

    /// What tables call the paper.
    public var paper: String
    public var name: String
    /// The claim in words.
    public var words: String
    /// Where the paper makes it.
    public var place: String
    public var experiment: String
    public var verdict: Verdict
    /// Whether it holds, but means less than it seems; the reason says why.
    public var isQualified = false
    /// The numbers that decided it, in one line.
    public var because: String

    /// `holds*` for a claim that holds and is qualified.
    public var mark: String { verdict.rawValue + (isQualified ? "*" : "") }

    /// `2nd order, section 4.2`
    public var source: String { "\(paper), \(place)" }
}

extension ClaimVerdict {
    init(_ claim: Claim, of paper: String, _ verdict: Verdict, qualified: Bool = false, because: String) {
        self.init(
            paper: paper, name: claim.name, words: claim.words, place: claim.place, experiment: claim.experiment,
            verdict: verdict,
            isQualified: qualified, because: because)
    }

    /// What is said of a claim whose experiment has no rows.
    public static func notRun(_ claim: Claim, of paper: String) -> ClaimVerdict {
        ClaimVerdict(claim, of: paper, .notMeasured, because: "\(claim.experiment) was not run")
    }
}
