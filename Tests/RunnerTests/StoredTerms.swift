import Foundation
import Pipeline
import Results
import Testing

/// What images add to the numbers of a run, as the database has it.
enum StoredTerms {
    /// Checks that it makes the numbers again, and that every number that images are drawn for has it.
    /// - Parameter missing: names of measures that may be without it.
    static func check(_ study: SmallStudy, _ experiment: String, without missing: Set<String> = []) throws {
        let database = try ResultsDatabase(readingFrom: study.file("results.sqlite"))
        let run = try #require(try database.latestRun(of: experiment))
        let metrics = try database.metrics(of: run, withTerms: true)
        for metric in metrics {
            guard let terms = metric.terms, let value = metric.value else { continue }
            #expect(abs(terms.value - value) < 1e-9, "\(metric.name) \(metric.subject): \(terms.value) for \(value)")
        }
        let sets = try database.predictions(of: run)
        let without = metrics.filter { metric in
            metric.interval?.resamplingUnit == "image" && metric.terms == nil
                && !sets.contains { Set($0.condition.columns) == Set(metric.subject.columns) }
        }
        #expect(Set(without.map(\.name)).isSubset(of: missing), "\(without.map { ($0.name, $0.subject) })")
    }
}
