import Foundation
import Foundations
import Pipeline

extension NumberTrace {
    /// What a reader wants to know of the number, for a terminal.
    /// - Parameter shown: how many images are listed.
    public func text(images shown: Int) -> String {
        let format = metric.unit == "share" ? NumberFormat.percent : NumberFormat(decimals: 3)
        var facts: [String] = []
        func add(_ name: String, _ value: String?) {
            if let value { facts.append("  " + name.padded(to: 13) + value) }
        }
        add(
            "value",
            format.text(metric) + (metric.unit == "share" ? " %" : metric.unit.isEmpty ? "" : " " + metric.unit))
        add("exactly", metric.value?.description)
        add("metric", ([metric.name] + metric.subject.columns.map { "\($0.name) \($0.value)" }).joined(separator: ", "))
        add(
            "measured on",
            "\(metric.n) of \(metric.dataset)" + (metric.skipped > 0 ? ", \(metric.skipped) left out" : ""))
        add("partial", metric.isPartial ? "only a part of the data was measured" : nil)
        add("interval", metric.interval.map(Self.words))
        add("paper", metric.paper.map { "\(format.text($0.value)), \($0.source): \(metric.verdict.rawValue)" })
        add("note", metric.note)
        add("model", metric.model)
        add("spec", "\(run.specPath) (SHA-256 \(run.specDigest.prefix(12)))")
        add("commit", (run.commit ?? "none") + (run.isDirty ? ", with changes" : ""))
        add(
            "run",
            "\(run.id), \(run.state.words), \(run.startedAt)"
                + (run.repeatsRows ? "; computed in run \(run.rowsRun ?? 0)" : ""))
        add("seconds", run.seconds.map { NumberFormat(decimals: 1).text($0) })
        add("host", "\(run.host.name), \(run.host.cpu), \(run.host.cores) cores, BLAS core \(run.blasCore)")
        let title = "\(place.layout.title)\n\(place.row.header) · \(NumberPlace.name(place.column))\n\n"
        return
            ([title + facts.map { $0 + "\n" }.joined()] + [stepTable, imageTable(shown)].compactMap { $0?.rendered() })
            .joined(separator: "\n")
    }

    private static func words(_ interval: Metric.Interval) -> String {
        "\(NumberFormat(decimals: 1).text(interval.level * 100)) %, \(interval.words), over each \(interval.resamplingUnit)"
    }

    private var stepTable: TextTable? {
        guard !steps.isEmpty else { return nil }
        var table = TextTable(
            title: "Steps of the run",
            columns: [.init("step"), .init("artefact (in cache/)"), .init("then"), .init("seconds", .right)])
        for step in steps {
            let name = step.label.isEmpty ? step.kind : "\(step.kind) (\(step.label))"
            table.addRow([
                name, "\(step.kind)/\(step.key)", step.status.rawValue, NumberFormat(decimals: 1).text(step.seconds),
            ])
        }
        return table
    }

    private func imageTable(_ shown: Int) -> TextTable? {
        switch images {
        case .none: nil
        case .answers(let answers): Self.table(of: answers, shown)
        case .terms(let terms): Self.table(of: terms, shown)
        }
    }

    /// Wrong answers first, those that were given with most confidence at the top.
    private static func table(of answers: [(prediction: Prediction, isRight: Bool)], _ shown: Int) -> TextTable {
        let sorted = answers.sorted {
            ($0.isRight ? 1 : 0, -($0.prediction.margin ?? 0)) < ($1.isRight ? 1 : 0, -($1.prediction.margin ?? 0))
        }
        let right = answers.count { $0.isRight }
        var table = TextTable(
            title: "Images: \(right) of \(answers.count) are right",
            columns: [.init("image"), .init("label"), .init("prediction"), .init("margin", .right), .init("")])
        for (prediction, isRight) in sorted.prefix(shown) {
            table.addRow([
                prediction.imageID, prediction.label, prediction.prediction,
                NumberFormat(decimals: 3).text(prediction.margin),
                isRight ? "right" : "wrong",
            ])
        }
        table.addRest(answers.count - shown)
        return table
    }

    /// The images with the lowest values first.
    private static func table(of terms: ImageTerms, _ shown: Int) -> TextTable {
        let sorted = terms.terms.sorted { $0.ratio < $1.ratio }
        var table = TextTable(
            title: "Images: the number is the mean over parts of Σ numerators / Σ denominators",
            columns: [
                .init("image"), .init("part"), .init("numerator", .right), .init("denominator", .right),
                .init("ratio", .right),
            ])
        let format = NumberFormat(decimals: 4)
        for term in sorted.prefix(shown) {
            table.addRow([
                terms.images[term.image], terms.parts[term.part], format.text(term.numerator),
                format.text(term.denominator),
                format.text(term.ratio),
            ])
        }
        table.addRest(terms.terms.count - shown)
        return table
    }
}

extension ImageTerms.Term {
    fileprivate var ratio: Double { numerator / denominator }
}

extension TextTable {
    fileprivate mutating func addRest(_ count: Int) {
        if count > 0 { addFootnote("and \(count) more") }
    }
}

extension RunState {
    /// For people.
    public var words: String {
        switch self {
        case .running: "running"
        case .abandoned: "abandoned"
        case .ended(let ending): ending.rawValue
        }
    }
}
