import Foundation
import Pipeline

extension Comparison {
    private struct Document: Encodable {
        struct Side: Encodable {
            let value: Double
            let interval: Metric.Interval?
        }

        struct Entry: Encodable {
            let experiment, metric: String
            let subject: [[String]]
            let unit, outcome: String
            var base, head: Side?
            var difference: Double?
            var n: Int?
            var test: String?
            var onlyBaseRight, onlyHeadRight: Int?
            var differenceInterval: Metric.Interval?
            var p, correctedP: Double?
            var reasons: [String]?
        }

        struct SettingEntry: Encodable {
            let experiment, what, base, head: String
        }

        struct ClaimEntry: Encodable {
            struct Side: Encodable {
                let verdict: String
                let qualified: Bool
                let because: String

                init(_ verdict: ClaimVerdict) {
                    (self.verdict, qualified, because) = (
                        verdict.verdict.rawValue, verdict.isQualified, verdict.because
                    )
                }
            }

            let experiment, paper, name, claim: String
            let base, head: Side
        }

        let compared, differences, notComparable: Int
        let experimentsOnlyInBase, experimentsOnlyInHead: [String]
        let settings: [SettingEntry]
        let claims: [ClaimEntry]
        let rows: [Entry]
    }

    /// One document, with every metric.
    /// - Throws: what encoding throws.
    public func json() throws -> Data {
        let document = Document(
            compared: compared, differences: differences, notComparable: notComparable,
            experimentsOnlyInBase: onlyInBase,
            experimentsOnlyInHead: onlyInHead,
            settings: settings.map { .init(experiment: $0.experiment, what: $0.what, base: $0.base, head: $0.head) },
            claims: claims.map {
                .init(
                    experiment: $0.experiment, paper: $0.head.paper, name: $0.head.name, claim: $0.head.words,
                    base: .init($0.base),
                    head: .init($0.head))
            },
            rows: rows.map { row in
                var entry = Document.Entry(
                    experiment: row.experiment, metric: row.metric,
                    subject: row.subject.columns.map { [$0.name, $0.value] },
                    unit: row.unit, outcome: row.outcome.name)
                switch row.outcome {
                case .compared(let numbers):
                    entry.base = .init(value: numbers.base, interval: numbers.baseInterval)
                    entry.head = .init(value: numbers.head, interval: numbers.headInterval)
                    (entry.difference, entry.n) = (numbers.difference, numbers.n)
                    if let counts = numbers.test?.method.counts { (entry.onlyBaseRight, entry.onlyHeadRight) = counts }
                    entry.differenceInterval = numbers.test?.method.interval
                    entry.test = numbers.test?.method.name
                    (entry.p, entry.correctedP) = (numbers.test?.probability, numbers.test?.corrected)
                case .notComparable(let reasons): entry.reasons = reasons
                case .onlyInBase, .onlyInHead: break
                }
                return entry
            })
        return try ArtefactJSON.encode(document) + Data("\n".utf8)
    }
}
