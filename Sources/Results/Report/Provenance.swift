import Pipeline

/// Where every number of a page comes from, as its script reads it: texts that recur stand once.
struct Provenance: Encodable {
    struct Run: Encodable {
        var facts: [[String]]
        /// Kind, label, key, when computed, duration.
        var steps: [[String]]
        var spec: String
    }

    struct Number: Encodable {
        var run: Int
        var name: String
        var subject: [[String]]
        /// What else is said of it, title and text.
        var facts: [[String]]
    }

    private(set) var runs: [Run] = []
    private(set) var numbers: [Number] = []
    private var places: [Place: Int] = [:]

    /// Two specs of one experiment may give equal rows.
    private struct Place: Hashable {
        let metric: Metric
        let run: Int
    }

    private enum CodingKeys: CodingKey { case runs, numbers }

    /// - Returns: the index of the run.
    mutating func add(_ run: ReportedRun) -> Int {
        runs.append(
            Run(
                facts: Self.facts(run),
                steps: run.steps.map {
                    [$0.step.kind, $0.step.label, $0.step.key, ReportWords.work($0), ReportWords.duration($0.seconds)]
                },
                spec: run.run.specText))
        return runs.count - 1
    }

    /// - Returns: the index of the number.
    mutating func add(_ metric: Metric, run: Int) -> Int {
        let place = Place(metric: metric, run: run)
        if let number = places[place] { return number }
        numbers.append(
            Number(
                run: run, name: metric.name, subject: metric.subject.columns.map { [$0.name, $0.value] },
                facts: Self.facts(metric)))
        places[place] = numbers.count - 1
        return numbers.count - 1
    }

    static func facts(_ reported: ReportedRun) -> [[String]] {
        let (run, source) = (reported.run, reported.source)
        var facts = [
            ["run", "\(run.id), \(ReportWords.state(run.state))\(run.isPartial ? ", of a part of the data" : "")"],
            ["started", ReportWords.time(run.startedAt)],
            [
                "took",
                "\(ReportWords.duration(run.seconds)); all steps behind it, whenever computed: \(ReportWords.duration(reported.seconds))",
            ],
        ]
        if source.id != run.id {
            facts.append([
                "rows first given by",
                "run \(source.id), \(ReportWords.time(source.startedAt)), \(ReportWords.duration(source.seconds)), commit \(ReportWords.commit(source))",
            ])
        }
        if let message = run.message { facts.append(["message", message]) }
        facts += [
            ["commit", ReportWords.commit(run)],
            ["spec", run.specPath], ["spec's SHA-256", run.specDigest],
            ["host", "\(run.host.name), \(run.host.cpu), \(run.host.cores) cores"],
            [
                "BLAS",
                "core \(run.blasCore), \(run.blasThreads) \(run.blasThreads == 1 ? "thread" : "threads") a worker",
            ],
        ]
        return facts + run.versions.sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
    }

    private static func facts(_ metric: Metric) -> [[String]] {
        var facts: [[String]] = []
        func number(_ value: Double) -> String { value.description }
        facts.append([
            "value",
            metric.value.map { "\(number($0))\(metric.unit.isEmpty ? "" : " (\(metric.unit))")" }
                ?? metric.status.rawValue,
        ])
        if let interval = metric.interval {
            facts.append([
                "interval",
                "\(number(interval.lower)) to \(number(interval.upper)), \(NumberFormat(scale: 100, decimals: 0, suffix: " %").text(interval.level))",
            ])
            facts.append(["by", "\(interval.words), over each \(interval.resamplingUnit)"])
        }
        facts.append(["n", metric.skipped == 0 ? "\(metric.n)" : "\(metric.n), and \(metric.skipped) skipped"])
        facts.append(["better", metric.higherIsBetter ? "higher" : "lower"])
        facts.append(["of", [metric.world, metric.model, metric.dataset].joined(separator: " · ")])
        if let paper = metric.paper {
            facts.append(["paper", "\(number(paper.value)) ± \(number(paper.halfUnit)) (rounding), \(paper.source)"])
        }
        facts.append(["verdict", metric.verdict.rawValue])
        if metric.isPartial { facts.append(["partial", "measured on a part of the data"]) }
        if let note = metric.note { facts.append(["note", note]) }
        return facts
    }
}
