import Foundation

/// How facts of runs are written on a page.
enum ReportWords {
    static func state(_ state: RunState) -> String {
        switch state {
        case .running: "running"
        case .abandoned: "abandoned: its process is gone"
        case .ended(let ending): ending.rawValue
        }
    }

    /// `2026-11-21T21:57:21Z` as `2026-11-21 21:57 UTC`; what is no such time as it is.
    static func time(_ iso: String) -> String {
        guard let match = iso.wholeMatch(of: /(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ/) else { return iso }
        return "\(match.1) \(match.2) UTC"
    }

    static func work(_ step: ReportedStep) -> String {
        switch (step.step.status, step.computedBy) {
        case (.notNeeded, _): "not needed"
        case (_, let run?): "computed by run \(run)"
        case (_, nil): step.step.status.rawValue
        }
    }

    static func duration(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
        if seconds < 10 { return NumberFormat(decimals: 1, suffix: " s").text(seconds) }
        if seconds < 120 { return NumberFormat(decimals: 0, suffix: " s").text(seconds) }
        let minutes = Int((seconds / 60).rounded())
        return minutes < 120 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
    }

    static func commit(_ run: StoredRun) -> String {
        guard let commit = run.commit else { return "none: outside a repository" }
        return run.isDirty ? "\(commit), with changes that are not committed" : commit
    }

    static func shortCommit(_ run: StoredRun) -> String {
        guard let commit = run.commit else { return "–" }
        return String(commit.prefix(10)) + (run.isDirty ? "+" : "")
    }
}
