import Foundation
import Pipeline

/// A run with its rows, as one side of a comparison.
public struct ComparedRun: Sendable {
    public let run: StoredRun
    public let metrics: [Metric]
    public let predictions: [PredictionSet]
    public let claims: [ClaimVerdict]

    public init(_ run: StoredRun, metrics: [Metric], predictions: [PredictionSet], claims: [ClaimVerdict] = []) {
        (self.run, self.metrics, self.predictions, self.claims) = (run, metrics, predictions, claims)
    }

    /// What makes two runs the same experiment: a world may have two specs of one.
    public struct Name: Hashable, Sendable, Comparable {
        public let experiment: String
        /// Name of the spec's file, without its folder and extension.
        public let spec: String

        public static func < (a: Name, b: Name) -> Bool { (a.experiment, a.spec) < (b.experiment, b.spec) }

        /// For people: the spec's name says the experiment's, mostly.
        public var description: String { spec.hasPrefix(experiment) ? spec : "\(experiment) (\(spec))" }
    }

    public var name: Name { Self.name(of: run) }

    public static func name(of run: StoredRun) -> Name {
        Name(
            experiment: run.experiment,
            spec: URL(fileURLWithPath: run.specPath).deletingPathExtension().lastPathComponent)
    }
}

extension ResultsDatabase {
    /// The latest run with rows of each experiment and spec, by their names.
    ///
    /// A run that is not what it left might have been one of them: that is an error, but where a later run has its name.
    /// - Parameter commit: only runs of a program of a commit that begins so; nil for all.
    /// - Throws: `ResultsError`.
    public func latestRuns(commit: String? = nil) throws -> [StoredRun] {
        var seen: Set<ComparedRun.Name> = []
        return try runs().filter { run in
            guard !seen.contains(ComparedRun.name(of: run)) else { return false }
            try read { try checkRun(run.id, $0) }
            guard run.rowsRun != nil, commit.map({ run.commit?.hasPrefix($0) ?? false }) ?? true else { return false }
            return seen.insert(ComparedRun.name(of: run)).inserted
        }.sorted { ComparedRun.name(of: $0) < ComparedRun.name(of: $1) }
    }

    /// Those runs with their rows.
    /// - Throws: `ResultsError`.
    public func comparedRuns(commit: String? = nil) throws -> [ComparedRun] {
        try latestRuns(commit: commit).map {
            ComparedRun(
                $0, metrics: try metrics(of: $0, withTerms: true), predictions: try predictions(of: $0),
                claims: try claims(of: $0))
        }
    }
}
