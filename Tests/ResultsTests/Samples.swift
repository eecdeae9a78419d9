import Foundation
import Foundations
import Pipeline
import Results

enum Sample {
    /// Makes a database of one run, and closes it.
    static func database(at url: URL) throws {
        let database = try ResultsDatabase(writingTo: url)
        try database.end(database.begin(description()), as: .done, rows: RunRows(metrics: metrics))
        try database.close()
    }

    static func description(
        experiment: String = "mean-ablation", text: String = "a: 1\n"
    ) throws -> RunDescription {
        RunDescription(
            experiment: experiment, spec: try SpecDocument(text: text, path: "experiments/x.yaml"),
            commit: "0123abcd", isDirty: true,
            host: HostDescription(name: ProcessIdentity.current.host, cpu: "a \"cpu\"", cores: 2),
            blasCore: "Haswell", blasThreads: 1, versions: ["swift": "6.3", "openblas": "0.3.21"],
            isPartial: false)
    }

    static func metric(
        _ value: Double, layer: String = "9", condition: String = "baseline",
        name: String = "accuracy"
    ) -> Metric {
        var metric = Metric(
            experiment: "mean-ablation", world: "emoji", model: "emoji-clip", dataset: "val",
            subject: ["layer": layer, "condition": condition], name: name, value: value,
            unit: "share", n: 4000, skipped: 1,
            interval: Metric.Interval(
                lower: value - 0.01, upper: value + 0.01, level: 0.95,
                method: "percentile bootstrap", replicates: 1000, seed: .max,
                resamplingUnit: "image"),
            paper: .init(0.632, source: "Table 1, row 2", halfUnit: 0.0005), note: "a note")
        metric.spec = "deeper"
        return metric
    }

    static let metrics = [
        metric(0.871), metric(.nan, condition: "without"), metric(-0.0, layer: "10"),
        metric(.infinity, name: "error"), metric(1).without(.notRun, because: "no layer after it"),
    ]

    static func predictions(count: Int = 3, condition: String = "baseline") -> PredictionSet {
        PredictionSet(
            experiment: "mean-ablation", condition: ["layer": "9", "condition": condition],
            predictions: (0..<count).map {
                Prediction(
                    imageID: "val/\(100_000 + $0)", label: "red apple", prediction: "=cmd",
                    margin: $0 == 1 ? nil : 0.25)
            })
    }

    static func terms(numerator: Double = 1, part: String = "") -> ImageTerms? {
        ImageTerms(images: ["val/1"], parts: [part], [.init(image: 0, numerator: numerator)])
    }

    static func layout(_ title: String) -> TableLayout {
        TableLayout(
            title: title, rowHeader: "layer", columns: [.init("accuracy", group: "measured")],
            rows: [.init("9", [.init("accuracy", ["layer": "9", "condition": "baseline"]), .text("a <b>")])],
            footnotes: ["a note"])
    }
}
