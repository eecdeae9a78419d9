import Foundation
import Pipeline

/// For every claim of the papers' files rows on which it holds and rows on which it fails; where a claim can be qualified, also
/// rows on which it holds and means less than it seems.
struct ClaimSample {
    let holds: [Metric]
    let fails: [Metric]
    let qualified: [Metric]?

    init(holds: [Metric], fails: [Metric], qualified: [Metric]? = nil) {
        (self.holds, self.fails, self.qualified) = (holds, fails, qualified)
    }

    /// - Parameter half: of the interval's width.
    static func row(_ name: String, _ subject: Subject, _ value: Double, half: Double = 0.002, unit: String = "share")
        -> Metric
    {
        Metric(
            experiment: "e", world: "w", model: "m", dataset: "d", subject: subject, name: name, value: value,
            unit: unit, n: 1000,
            skipped: 0,
            interval: .init(
                lower: value - half, upper: value + half, level: 0.95, method: "made", resamplingUnit: "image"))
    }

    /// A row for each value of a column.
    private static func rows(
        _ name: String, _ column: String, _ values: [(String, Double)], _ others: [Subject.Column] = []
    ) -> [Metric] {
        values.map { row(name, Subject([.init(column, $0)] + others), $1) }
    }

    private static func layers(_ name: String, _ values: [Double], _ others: [Subject.Column] = []) -> [Metric] {
        rows(name, "layer", values.enumerated().map { ("\($0)", $1) }, others)
    }

    private static let baseline = row("accuracy", ["condition": "baseline"], 0.87)

    private static func ablations(_ condition: String, _ values: [Double]) -> [Metric] {
        layers("accuracy", values, [.init("condition", condition)])
    }

    private static func spread(_ values: [Double], centred: [Double]) -> [Metric] {
        layers("pc1-share-difference", values, [.init("of", "largest")])
            + layers("pc1-share-difference", centred, [.init("of", "largest-centred")])
    }

    private static let words: [Subject.Column] = [.init("pool", "words"), .init("m", "16")]

    private static func fooling(_ values: [(String, Double)]) -> [Metric] {
        ["dog→deer", "cat→owl", "ship→car"].flatMap { rows("fooling-pictures", "method", values, [.init("pair", $0)]) }
    }

    private static func phrases(_ of: String, _ values: [Double]) -> [Metric] {
        layers("phrase-similarity", values, [.init("phrases", of)])
    }

    private static func segmented(_ values: [(String, Double)]) -> [Metric] {
        ["mean-iou", "pixel-accuracy"].flatMap {
            rows($0, "method", values, [.init("class", "predicted"), .init("foreground", "> 0.5")])
        }
            + rows("mean-ap", "method", values, [.init("class", "predicted")])
    }

    private static func truths(_ values: [(score: String, truth: String, value: Double)]) -> [Metric] {
        values.map { row("true-phrases", ["score": $0.score, "truth": $0.truth], $0.value) }
    }

    private static func contrast(_ values: [(String, Double)]) -> [Metric] { rows("score-contrast", "method", values) }

    private static func lights(own: Double, papers: Double) -> [Metric] {
        contrast([("clip", own)])
            + rows(
                "score-contrast", "sentences", [("own", own), ("clip-surgery-85", papers)], [.init("method", "clip")])
    }

    /// Settings of one world that disagree.
    static let disagreeing = lights(own: -0.02, papers: 0.04)

    private static func attention(queryKey: Double, valueValue: Double) -> [Metric] {
        rows(
            "attention-within-label", "attention",
            [("query-key", queryKey), ("value-value", valueValue), ("area", 0.2)])
    }

    private static func redundant(_ clip: Double, feature: Double, _ architecture: Double, surgery: Double) -> [Metric]
    {
        contrast([
            ("clip", clip), ("feature-surgery", feature), ("architecture-surgery", architecture),
            ("clip-surgery", surgery),
        ])
    }

    /// The parts of surgery are no other explanations and may be better.
    private static func maps(_ name: String, surgery: Double, best: Double) -> [Metric] {
        rows(
            name, "method",
            [
                ("clip-surgery", surgery), ("architecture-surgery", 0.9), ("feature-surgery", 0.9),
                ("clip-surgery-single-text", 0.9), ("clip-surgery-absent-label", 0.9), ("whole-picture", 0.9),
                ("gem", best), ("clip", 0),
            ])
    }

    private static func named(_ values: [(String, Double)]) -> [Metric] {
        rows("mean-iou", "method", values, [.init("choice", "all")])
    }

    private static func gain(_ value: Double) -> [Metric] {
        [row("mean-ap-gain", ["score": "feature-surgery", "over": "softmax", "images": "all"], value)]
    }

    /// By paper and claim.
    static let all: [String: [String: ClaimSample]] = [
        "2nd order": [
            "direct-effects": .init(
                holds: [baseline]
                    + rows(
                        "accuracy", "layers-ablated", [("1", 0.86), ("2", 0.84)], [.init("condition", "mlps-from-last")]
                    ),
                fails: [baseline]
                    + rows(
                        "accuracy", "layers-ablated", [("1", 0.86), ("2", 0.8)], [.init("condition", "mlps-from-last")])
            ),
            "indirect-spread": .init(
                holds: spread([0.05, 0.02, 0.1], centred: [0.03, 0.02, 0.01]),
                fails: spread([0.05, 0.02, 0.1], centred: [0.03, -0.02, 0.01])),
            "selective": .init(
                holds: layers(
                    "images-holding-difference", [-0.05, -0.01],
                    [.init("effect", "second-order"), .init("holding", "half")]),
                fails: layers(
                    "images-holding-difference", [-0.05, 0.01],
                    [.init("effect", "second-order"), .init("holding", "half")])),
            "late-layers": .init(
                holds: ablations("without-all-neurons", [0.8, 0.7, 0.8, 0.2, 0.6]),
                fails: ablations("without-all-neurons", [0.8, 0.7, 0.2, 0.3, 0.6])),
            "large-norms": .init(
                holds: ablations("without-small-norms", [0.85, 0.8]) + ablations("without-large-norms", [0.85, 0.4]),
                fails: ablations("without-small-norms", [0.85, 0.4]) + ablations("without-large-norms", [0.85, 0.8])),
            "one-direction": .init(
                holds: [baseline] + ablations("reconstruction-from-pc1", [0.86, 0.87]),
                fails: [baseline] + ablations("reconstruction-from-pc1", [0.86, 0.82])),
            "sparse-texts": .init(
                holds: ablations("reconstruction-from-pc1", [0.86, 0.85]) + layers("accuracy", [0.86, 0.84], words)
                    + layers("accuracy-over-random", [0.1, 0.005], words),
                fails: ablations("reconstruction-from-pc1", [0.86, 0.85]) + layers("accuracy", [0.86, 0.8], words)
                    + layers("accuracy-over-random", [0.1, 0.1], words),
                qualified: ablations("reconstruction-from-pc1", [0.86, 0.85]) + layers("accuracy", [0.86, 0.84], words)
                    + layers("accuracy-over-random", [-0.1, 0.005], words)),
            "words-over-random": .init(
                holds: layers("text-explains-direction-over-random", [0.06, 0.2], words),
                fails: layers("text-explains-direction-over-random", [0.01, 0.2], words)),
            "polysemy": .init(
                holds: phrases("of a neuron", [0.05, 0.02]) + phrases("of the pool", [0, -0.01])
                    + phrases("of a random direction", [0.3, 0.02]),
                fails: phrases("of a neuron", [0.05, 0.2]) + phrases("of the pool", [0, -0.01])
                    + phrases("of a random direction", [0.02, 0.02]),
                qualified: phrases("of a neuron", [0.05, 0.02]) + phrases("of the pool", [0, -0.01])
                    + phrases("of a random direction", [0.04, 0.02])),
            "search-by-neurons": .init(
                holds: fooling([
                    ("random-words", 0.9), ("random-neurons", 0), ("indirect", 0.1), ("similar-words", 0.9),
                    ("second-order", 0.4),
                ]),
                fails: fooling([
                    ("random-words", 0), ("random-neurons", 0), ("indirect", 0.6), ("similar-words", 0),
                    ("second-order", 0.4),
                ])),
            "search-without-neurons": .init(
                holds: fooling([("random-neurons", 0.9), ("similar-words", 0.2), ("second-order", 0.4)]),
                fails: fooling([("random-neurons", 0), ("similar-words", 0.6), ("second-order", 0.4)])),
            "segmentation": .init(
                holds: segmented([("second-order", 0.7), ("rollout", 0.6), ("lrp", 0.5), ("random-neurons", 0.9)]),
                fails: segmented([("second-order", 0.7), ("rollout", 0.6), ("lrp", 0.75), ("random-neurons", 0.1)])),
            "concept-discovery": .init(
                holds: truths([
                    ("norm", "objects", 0.5), ("norm", "another image", 0.3), ("similarity", "objects", 0.4),
                ]),
                fails: truths([
                    ("norm", "objects", 0.3), ("norm", "another image", 0.4), ("similarity", "objects", 0.1),
                ]),
                qualified: truths([
                    ("norm", "objects", 0.5), ("norm", "another image", 0.3), ("similarity", "objects", 0.8),
                ])),
        ],
        "Surgery": [
            "lights-background": .init(holds: lights(own: -0.02, papers: -0.2), fails: lights(own: 0.02, papers: 0.2)),
            "raw-attention": .init(
                holds: attention(queryKey: 0.15, valueValue: 0.3), fails: attention(queryKey: 0.3, valueValue: 0.25),
                qualified: attention(queryKey: 0.25, valueValue: 0.3)),
            "redundant-features": .init(
                holds: redundant(-0.1, feature: 0.1, 0.3, surgery: 0.4),
                fails: redundant(-0.1, feature: 0.1, 0.4, surgery: 0.3)),
            "surgery-contrast": .init(
                holds: maps("score-contrast", surgery: 0.4, best: 0.3),
                fails: maps("score-contrast", surgery: 0.3, best: 0.4)),
            "surgery-overlap": .init(
                holds: maps("explainability-iou", surgery: 0.4, best: 0.3),
                fails: maps("explainability-iou", surgery: 0.3, best: 0.4)),
            "class-token": .init(
                holds: [row("class-token-change", [:], 0.00001, half: 0.000001, unit: "relative length")],
                fails: [row("class-token-change", [:], 0.2, unit: "relative length")]),
            "open-vocabulary": .init(
                holds: named([("clip", 0.2), ("architecture-surgery", 0.3), ("gem", 0.1)]),
                fails: named([("clip", 0.3), ("architecture-surgery", 0.2), ("gem", 0.1)]),
                qualified: named([("clip", 0.2), ("architecture-surgery", 0.3), ("gem", 0.4)])),
            "multi-label": .init(holds: gain(0.04), fails: gain(-0.01)),
        ],
    ]
}
