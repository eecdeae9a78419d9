import Attribution
import Pipeline
import Testing

@testable import Experiments

/// Table 4 from maps and masks of four pixels.
@Suite struct SegmentationMeasuresTests {
    static let rules: [ForegroundRule] = [.above(0.5), .aboveMean]
    /// Average precision of the flawed map: scores 1 1 | 0.8 | 0.5 0.5 | 0.2 with 2, 0, 1 and 1 positives of 4.
    static let flawedPrecision: Double = (2.0 + 3.0 / 5.0 + 4.0 / 6.0) / 4.0
    static let perfect = (map: HeatMap(side: 2, values: [1, 0, 0, 0]), mask: [1, 0, 0, 0] as [UInt8])
    /// Above one half: pixel 1. Above the mean of 0.425: pixels 1 and 2.
    static let flawed = (map: HeatMap(side: 2, values: [0, 1, 0.5, 0.2]), mask: [0, 1, 0, 1] as [UInt8])

    static func spec(_ keys: String = "") throws -> SegmentationSpec {
        try SegmentationSpec(
            HandMade.document(
                "segmentation",
                """
                neurons: 3
                sensitivity: {images: 2, neurons: [2, 1], thresholds: [0.9, 0.5]}
                controls: {accuracy-floor: 0.5}

                """ + keys), choices: HandMade.choices)
    }

    /// The item is flawed on the first of two images; every other one is perfect on both.
    func measures(_ flawed: SegmentationCase, sensitivity: Int = 5, keys: String = "") throws -> SegmentationMeasures {
        let spec = try Self.spec(keys)
        let grid = SensitivityGrid(spec, layers: [0, 1])
        var scores = SegmentationScores(cases: SegmentationCase.all.count, rules: Self.rules.count)
        var varied = SegmentationScores(cases: grid.cases, rules: grid.thresholds.count)
        for image in 0..<2 {
            scores.appendImage(predicted: image, margin: 2, absent: 2)
            varied.appendImage(predicted: image, margin: 0, absent: image)
            for item in SegmentationCase.all {
                let sample = item == flawed && image == 0 ? Self.flawed : Self.perfect
                try scores.append(sample.map, mask: sample.mask, size: 2, rules: Self.rules)
            }
            for index in 0..<grid.cases {
                let sample = index == sensitivity && image == 0 ? Self.flawed : Self.perfect
                try varied.append(
                    sample.map, mask: sample.mask, size: 2, rules: grid.thresholds.map { .above(Float($0)) })
            }
        }
        return try SegmentationMeasures(
            spec: spec, layers: [0, 1], classNames: ["cat", "dog", "pig"], isPartial: false, labels: [0, 2],
            scores: scores,
            sensitivity: varied, trust: HandMade.trust(), paper: HandMade.papers().table("2nd order", "Table 4"))
    }

    @Test func negativesCountAsZeroWhereAsked() throws {
        let map = HeatMap(side: 2, values: [-8, 4, 1, 1])
        func foreground(clipping: Bool) throws -> [Double] {
            var scores = SegmentationScores(cases: 1, rules: 2)
            scores.appendImage(predicted: 0, margin: 0, absent: 0)
            try scores.append(
                map, mask: [0, 1, 1, 1], size: 2, rules: [.above(0.5), .aboveMean], clipsNegatives: clipping)
            return (0..<2).map { SegmentationScores.counts(scores.rows(of: 0, rule: $0)[0]).foreground.ratio }
        }
        // From 0 to 1 the map is [0, 1, 0.75, 0.75], mean 0.625; without negatives [0, 1, 0.25, 0.25], mean 0.375.
        #expect(try foreground(clipping: false) == [1, 1])
        #expect(try foreground(clipping: true) == [1.0 / 3, 1.0 / 3])
    }

    /// As in the published evaluations, whose scikit-learn gives one half where every pixel scores alike
    /// (segmentation-measures.json, "one half everywhere").
    @Test(arguments: [Float(0), 3, -2]) func mapsOfOneValueTellNothing(value: Float) throws {
        var scores = SegmentationScores(cases: 2, rules: 2)
        for _ in 0..<2 {
            scores.appendImage(predicted: 0, margin: 0, absent: 0)
            try scores.append(
                HeatMap(side: 2, values: [value, value, value, value]), mask: [0, 1, 1, 255], size: 2, rules: Self.rules
            )
            try scores.append(Self.perfect.map, mask: Self.perfect.mask, size: 2, rules: Self.rules)
        }
        #expect(scores.precisions(of: 0) == [0.5, 0.5] && scores.isConstant(of: 0) == [true, true])
        #expect(scores.precisions(of: 1) == [1, 1] && scores.isConstant(of: 1) == [false, false])
        // Background everywhere: one of three labelled pixels is right.
        for rule in 0..<2 {
            let counts = SegmentationScores.counts(scores.rows(of: 0, rule: rule)[0])
            #expect(counts.foreground.ratio == 0 && abs(counts.pixelAccuracy - 1.0 / 3) < 1e-9)
        }
    }

    @Test func mapsOfOneValueAreCounted() throws {
        var measured = try measures(Self.secondOrder)
        let constant = (map: HeatMap(side: 2, values: [1, 1, 1, 1]), mask: [0, 1, 0, 1] as [UInt8])
        var scores = SegmentationScores(cases: SegmentationCase.all.count, rules: Self.rules.count)
        for image in 0..<2 {
            scores.appendImage(predicted: image, margin: 2, absent: 2)
            for item in SegmentationCase.all {
                let sample = item == Self.secondOrder && image == 1 ? constant : Self.perfect
                try scores.append(sample.map, mask: sample.mask, size: 2, rules: Self.rules)
            }
        }
        measured.scores = scores
        let metrics = measured.metrics()
        let row = try #require(metrics.row("constant-maps", columns(Self.secondOrder)))
        #expect(row.value == 0.5 && row.n == 2 && metrics.value("mean-ap", columns(Self.secondOrder)) == 0.75)
    }

    @Test func theThresholdIsASetting() throws {
        #expect(try Self.spec().rules.map(\.name) == ["> 0.5", "> mean"])
        let other = try Self.spec("threshold: 0.25").rules
        #expect(other.map(\.name) == ["> 0.25", "> mean"] && other[0].rule == .above(0.25))
        // Beside another threshold the paper's numbers are of something else.
        let metrics = try measures(Self.secondOrder, keys: "threshold: 0.25").metrics()
        #expect(metrics.row("mean-iou", columns(Self.secondOrder, "> 0.25"))?.verdict == .notComparable)
        #expect(throws: SpecError.self) { try Self.spec("threshold: 1.5") }
    }

    static let secondOrder = SegmentationCase(maker: .method(.secondOrder), query: .predicted)

    func columns(_ item: SegmentationCase, _ rule: String? = nil) -> [String: String] {
        ["method": item.maker.name, "class": item.query.rawValue].merging(rule.map { ["foreground": $0] } ?? [:]) { $1 }
    }

    @Test func ratiosAreThoseOfAddedCounts() throws {
        let metrics = try measures(Self.secondOrder).metrics()
        // First image: 3 of 4 right, background 2/3, foreground 1/2; second: all right, 3/3 and 1/1.
        let above = columns(Self.secondOrder, "> 0.5")
        #expect(metrics.value("pixel-accuracy", above) == 7.0 / 8)
        #expect(metrics.value("mean-iou", above).isNear((5.0 / 6 + 2.0 / 3) / 2))
        // First image: 2 of 4 right, background 1/3, foreground 1/3.
        let mean = columns(Self.secondOrder, "> mean")
        #expect(metrics.value("pixel-accuracy", mean) == 6.0 / 8)
        #expect(metrics.value("mean-iou", mean).isNear((4.0 / 6 + 2.0 / 4) / 2))
        #expect(metrics.value("mean-ap", columns(Self.secondOrder)).isNear((Self.flawedPrecision + 1) / 2))
        let other = SegmentationCase(maker: .method(.rollout), query: .predicted)
        #expect(
            metrics.value("mean-iou", columns(other, "> 0.5")) == 1 && metrics.value("mean-ap", columns(other)) == 1)
    }

    @Test func intervalsHoldTheirValues() throws {
        let metrics = try measures(Self.secondOrder).metrics()
        for name in ["pixel-accuracy", "mean-iou"] {
            let row = try #require(metrics.row(name, columns(Self.secondOrder, "> 0.5")))
            let (value, interval) = (try #require(row.value), try #require(row.interval))
            // Of two images either one may be drawn twice.
            #expect(interval.lower < value && interval.upper == 1 && row.n == 2, "\(name)")
        }
    }

    @Test func everyCaseHasItsOwnRows() throws {
        for item in SegmentationCase.all {
            let metrics = try measures(item).metrics()
            let spoilt = metrics.filter { $0.name == "mean-ap" && $0.subject["method"] != nil && $0.value != 1 }
            #expect(spoilt.count == 1 && spoilt.first?.subject == SegmentationMeasures.subject(item))
        }
        let count = AttributionMethod.all.count + 1 + AttributionMethod.all.count(where: \.usesClass)
        #expect(SegmentationCase.all.count == count && Set(SegmentationCase.all).count == count)
    }

    @Test func paperValuesStandAtTheirRuleAndClassOnly() throws {
        let metrics = try measures(Self.secondOrder).metrics()
        let withPaper = metrics.filter { $0.paper != nil }
        // Of its eight rows.
        #expect(withPaper.count == 3 * 8)
        for row in withPaper {
            #expect(row.subject["class"] == "predicted" && row.subject["method"] != "random-neurons")
            #expect(row.subject["foreground"] == (row.name == "mean-ap" ? nil : "> 0.5"))
            #expect(row.verdict == .notComparable)
        }
        let above = columns(Self.secondOrder, "> 0.5")
        #expect(metrics.row("pixel-accuracy", above)?.paper?.value == 0.781)
        #expect(metrics.row("mean-iou", above)?.paper?.value == 0.59)
        #expect(metrics.row("mean-ap", columns(Self.secondOrder))?.paper?.value == 0.849)
        let flow = SegmentationCase(maker: .method(.chefer2021), query: .predicted)
        #expect(metrics.row("mean-iou", columns(flow, "> 0.5"))?.paper?.value == 0.491)
    }

    @Test func sensitivityRowsNameLayersNeuronsAndThreshold() throws {
        // Index 5: both layers, the larger of two numbers of neurons.
        let metrics = try measures(Self.secondOrder, sensitivity: 5).metrics()
        #expect(metrics.value("mean-ap", ["layers": "0+1", "neurons": "2"]).isNear((Self.flawedPrecision + 1) / 2))
        #expect(metrics.value("mean-ap", ["layers": "0+1", "neurons": "1"]) == 1)
        #expect(metrics.value("mean-ap", ["layers": "1", "neurons": "2"]) == 1)
        #expect(metrics.value("mean-iou", ["layers": "0+1", "neurons": "2", "threshold": "0.5"]).isNear(0.75))
        #expect(metrics.value("mean-iou", ["layers": "0+1", "neurons": "1", "threshold": "0.9"]) == 1)
    }

    @Test func everyCellOfTheTablesHasItsMetric() throws {
        for keys in ["", "neuron-layers: [0]", "neuron-layers: [1]", "layers: [0, 1]\nneuron-layers: [0, 1]"] {
            let measures = try measures(Self.secondOrder, keys: keys)
            let metrics = measures.metrics()
            for layout in SegmentationTables(measures).layouts {
                for row in layout.rows {
                    #expect(row.cells.count == layout.columns.count)
                    for case .metric(let name, let subject, _) in row.cells {
                        let columns = Dictionary(uniqueKeysWithValues: subject.columns.map { ($0.name, $0.value) })
                        #expect(metrics.row(name, columns) != nil, "\(keys): \(name) \(columns)")
                    }
                }
            }
        }
    }

    @Test func thresholdsAreVariedForTheLayersOfTheTable() throws {
        for (keys, layers) in [("", "0+1"), ("neuron-layers: [0]", "0"), ("neuron-layers: [1]", "1")] {
            let title = SegmentationTables(try measures(Self.secondOrder, keys: keys)).layouts.last?.title ?? ""
            #expect(title.contains("by threshold") && title.hasSuffix("layers \(layers)"), "\(title)")
        }
    }

    @Test func theGridHasEveryLayerAndTheTablesLayersOnce() throws {
        let all = SensitivityGrid(try Self.spec(), layers: [0, 1])
        #expect(all.layerSets == [[0], [1], [0, 1]] && all.neurons == [1, 2] && all.thresholds == [0.5, 0.9])
        #expect(all.cases == 6 && all.index(layerSet: 2, neurons: 1) == 5)
        let single = SensitivityGrid(try Self.spec("neuron-layers: [1]"), layers: [0, 1])
        #expect(single.layerSets == [[0], [1]] && single.cases == 4)
    }

    @Test func predictionsAndListLeadToTheImages() throws {
        let measures = try measures(Self.secondOrder)
        let set = try #require(measures.predictionSets().first)
        #expect(set.predictions.map(\.prediction) == ["cat", "dog"] && set.predictions.map(\.label) == ["cat", "pig"])
        guard case .list(let header, let rows) = measures.list.content else {
            Issue.record("not a list")
            return
        }
        #expect(
            header.count == 4 + SegmentationCase.all.count && rows.count == 2
                && rows.allSatisfy { $0.count == header.count })
        #expect(Array(rows[1].prefix(4)) == [.text("d/val/1"), .text("pig"), .text("dog"), .text("pig")])
        let column = try #require(header.firstIndex(of: "ap_second-order"))
        #expect(rows[0][column].isNear(Self.flawedPrecision) && rows[1][column] == .number(1))
        #expect(header.contains("ap_second-order_absent") && header.contains("ap_random-neurons"))
    }

    @Test func aModelBelowTheFloorIsNotTrusted() throws {
        // One of two images is classified right.
        #expect(try measures(Self.secondOrder).failedControls() == [])
        let strict = try measures(Self.secondOrder).scores
        #expect(strict.predicted == [0, 1])
        #expect(
            BaselineControl(labels: [0, 2], predicted: strict.predicted, floor: 0.6, seed: 0).failedControls()
                == [.accuracyBelowFloor(accuracy: 0.5, floor: 0.6)])
    }

    @Test(arguments: [
        ("neurons: 3", "neurons: 13"), ("neurons: 3", "neurons: 0"), ("neurons: 3", "neurons: 7\nneuron-layers: [0]"),
        ("neurons: 3", "neurons: 3\nneuron-layers: [0, 0]"), ("neurons: 3", "neurons: 3\nneuron-layers: [2]"),
        ("neurons: 3", "neurons: 3\nlayers: [0]\nneuron-layers: [1]"),
        ("neurons: [2, 1]", "neurons: [7]"), ("neurons: [2, 1]", "neurons: [1, 1]"), ("neurons: [2, 1]", "neurons: []"),
        ("[0.9, 0.5]", "[1.5]"), ("[0.9, 0.5]", "[-0.1]"), ("[0.9, 0.5]", "[0.5, 0.5]"),
        ("images: 2", "images: 1"), ("neurons: 3", "neurons: 3\nmask-geometry: stretched"),
        ("neurons: 3", "neurons: 3\noverlays: 0"),
    ])
    func impossibleSettingsAreRefused(old: String, new: String) throws {
        let keys = """
            neurons: 3
            sensitivity: {images: 2, neurons: [2, 1], thresholds: [0.9, 0.5]}
            controls: {accuracy-floor: 0.5}
            """
        let edited = keys.replacing(old, with: new, maxReplacements: 1)
        #expect(edited != keys)
        let document = try HandMade.document("segmentation", edited)
        #expect(throws: SpecError.self) {
            try SegmentationSpec(document, choices: HandMade.choices)
        }
    }
}
