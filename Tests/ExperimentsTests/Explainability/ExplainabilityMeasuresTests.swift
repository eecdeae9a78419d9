import Attribution
import Pipeline
import Testing

@testable import Experiments

/// Rows, lists and tables from maps of four pixels.
@Suite struct ExplainabilityMeasuresTests {
    typealias Sample = ExplainabilityScoresTests

    static func spec(secondOrder: Bool = false) throws -> ExplainabilitySpec {
        try ExplainabilitySpec(
            SurgerySample.document(
                "explainability",
                """
                depth: 2
                sensitivity: {images: 2, depths: [2, 1], input-sizes: [12, 8]}
                controls: {accuracy-floor: 0.5}

                """ + (secondOrder ? "second-order: {neurons: 3, layers: [1]}\nfit: {dataset: d, split: fit}\n" : "")),
            choices: SurgerySample.choices)
    }

    /// Three images of two, no and one label. By the case `flawed` maps are those of the samples, by others perfect.
    static func scores(_ cases: Int, flawed: Int) throws -> ExplainabilityScores {
        var part = ExplainabilityPart(cases: cases)
        let pairs: [(label: Int, map: [Float], mask: [UInt8])] = [
            (2, Sample.first.map, Sample.first.mask), (0, Sample.second.map, Sample.second.mask),
            (1, Sample.everywhere.map, Sample.everywhere.mask),
        ]
        for (image, shown) in [[pairs[0], pairs[1]], [], [pairs[2]]].enumerated() {
            part.appendImage(predicted: image, margin: 0.5)
            for pair in shown {
                let perfect = pair.mask.map { $0 == 1 ? Float(1) : 0 }
                try part.appendLabel(
                    pair.label, mask: pair.mask, maps: (0..<cases).map { $0 == flawed ? pair.map : perfect })
            }
        }
        return try ExplainabilityScores(Sample.reduced([part]).stored())
    }

    /// - Parameters:
    ///   - flawed: a case of the table.
    ///   - sensitivity: input size and depth of a flawed one.
    func measures(_ flawed: Int = 0, sensitivity: (size: Int, depth: Int) = (0, 0), secondOrder: Bool = false) throws
        -> ExplainabilityMeasures
    {
        let cases = ExplainabilityCase.all(depth: 2, secondOrder: secondOrder)
        return ExplainabilityMeasures(
            spec: try Self.spec(secondOrder: secondOrder), cases: cases, images: HandMade.images,
            classNames: ["cat", "dog", "pig"], templates: ["{}"],
            isPartial: false, facts: SurgerySample.facts(of: [[2, 0], [1], [1]]),
            scores: try Self.scores(cases.count, flawed: flawed), attention: Self.attention,
            sensitivity: try [8, 12].map { size in
                (size, try Self.scores(2, flawed: size == sensitivity.size ? sensitivity.depth - 1 : -1))
            },
            sentences: [], trust: secondOrder ? HandMade.trust() : nil)
    }

    /// Of the three images: half of the attention of the first's labels stays, all of values with values.
    static let attention: AttentionWithinLabels = {
        var found = AttentionWithinLabels()
        found.append([[0.5, 1, 0.25], [0.25, 1, 0.125]], classTokenChange: 0)
        found.append([], classTokenChange: 0.25)
        found.append([[0.75, 1, 0.5]], classTokenChange: 0.125)
        return found
    }()

    private static let contrast = (Sample.first.contrast + Sample.second.contrast) / 2

    @Test func meansAreOverImagesAndLabels() throws {
        let metrics = try measures().metrics()
        let ratio = try #require(metrics.row("explainability-iou", ["method": "clip"]))
        #expect(ratio.value.isNear(2.5 / 3) && ratio.n == 3 && ratio.unit == "share", "\(ratio)")
        let threshold = try #require(metrics.row("best-threshold", ["method": "clip"]))
        #expect(
            threshold.value.isNear(0.2) && threshold.n == 3 && threshold.note == "found by grid search on these images")
        // The third label is wherever pixels count.
        let contrast = try #require(metrics.row("score-contrast", ["method": "clip"]))
        #expect(contrast.value.isNear(Self.contrast) && contrast.n == 2, "\(contrast)")
        #expect(metrics.value("explainability-iou", ["method": "rollout"]) == 1)
        #expect(metrics.value("score-contrast", ["method": "rollout"]) == 1)
        #expect(metrics.value("best-threshold", ["method": "rollout"]) == 0)
        // The paper's table could not be had.
        #expect(metrics.allSatisfy { $0.paper == nil && $0.dataset == "d/val" && $0.status == .ok })
    }

    @Test func attentionStaysOnTheLabelOrNot() throws {
        let metrics = try measures().metrics()
        func row(_ kind: String) throws -> Metric {
            try #require(metrics.row("attention-within-label", ["attention": kind]))
        }
        #expect(
            try row("query-key").value == 0.5 && row("value-value").value == 1 && row("area").value.isNear(0.875 / 3))
        #expect(try row("query-key").n == 3)
        let change = try #require(metrics.row("class-token-change", [:]))
        #expect(change.value == 0.125 && change.n == 3 && !change.higherIsBetter)
    }

    @Test func theModelsAnswersAreTheControl() throws {
        // 0 of [pig, cat], 1 of [dog], 2 of [dog].
        let measures = try measures()
        #expect(measures.metrics().value("accuracy", ["condition": "baseline"]) == 2.0 / 3)
        #expect(measures.failedControls() == [])
        let set = try #require(measures.predictionSets().first)
        #expect(set.predictions.map(\.prediction) == ["cat", "dog", "pig"])
        #expect(
            set.predictions.map(\.label) == ["pig, cat", "dog", "dog"]
                && set.predictions.map(\.margin) == [0.5, 0.5, 0.5])
    }

    @Test func everyCaseHasItsOwnRows() throws {
        let cases = ExplainabilityCase.all(depth: 2, secondOrder: true)
        let count = 12 + AttributionMethod.all.count
        #expect(cases.count == count && Set(cases.map(\.name)).count == count && Set(cases.map(\.key)).count == count)
        for (index, item) in cases.enumerated() {
            let metrics = try measures(index, secondOrder: true).metrics()
            for (name, good) in [("explainability-iou", 1.0), ("score-contrast", 1)] {
                let spoilt = metrics.filter { $0.name == name && $0.subject["method"] != nil && $0.value != good }
                #expect(
                    spoilt.count == 1 && spoilt.first?.subject == ExplainabilityMeasures.subject(item),
                    "\(item.name): \(spoilt)")
            }
        }
        let without = ExplainabilityCase.all(depth: 2, secondOrder: false)
        #expect(without.count == count - 1 && !without.contains(.attribution(.secondOrder)))
    }

    @Test func sensitivityRowsNameSizeAndDepth() throws {
        for (size, depth) in [(8, 1), (8, 2), (12, 1), (12, 2)] {
            let metrics = try measures(-1, sensitivity: (size, depth)).metrics()
            for row in metrics where row.name == "score-contrast" && row.subject["depth"] != nil {
                let isFlawed = row.subject["depth"] == "\(depth)" && row.subject["input-size"] == "\(size)"
                #expect(
                    row.value.isNear(isFlawed ? Self.contrast : 1),
                    "\(size), \(depth): \(row.subject) \(row.value ?? .nan)")
            }
            #expect(metrics.count { $0.subject["depth"] != nil } == 3 * 4)
        }
    }

    @Test func theSecondOrderRowBringsItsChecks() throws {
        #expect(try !measures().metrics().contains { $0.name == "identity-error" })
        #expect(try measures(secondOrder: true).metrics().count { $0.name == "identity-error" } == 3)
    }

    /// Images are drawn again, and with them all their labels.
    @Test func intervalsHoldTheirValues() throws {
        var part = ExplainabilityPart(cases: 1)
        for image in 0..<40 {
            part.appendImage(predicted: 0, margin: 0)
            let sample = image.isMultiple(of: 2) ? Sample.first : Sample.second
            try part.appendLabel(0, mask: sample.mask, maps: [sample.map])
        }
        let scores = try Sample.reduced([part])
        let measures = ExplainabilityMeasures(
            spec: try Self.spec(), cases: [.reading(.clip)], images: HandMade.images, classNames: ["cat"],
            templates: ["{}"], isPartial: false,
            facts: SurgerySample.facts(of: [[Int32]](repeating: [0], count: 40)), scores: scores,
            attention: AttentionWithinLabels(), sensitivity: [], sentences: [], trust: nil)
        for (name, value, spread) in [
            ("explainability-iou", 0.75, 0.25),
            ("score-contrast", Self.contrast, abs(Self.contrast - Sample.first.contrast)),
        ] {
            let row = try #require(measures.metrics().row(name, ["method": "clip"]))
            let interval = try #require(row.interval)
            let half = 1.96 * spread / Double(40).squareRoot()
            #expect(row.value.isNear(value) && interval.resamplingUnit == "image")
            #expect(
                abs(interval.lower - (value - half)) < 0.2 * half && abs(interval.upper - (value + half)) < 0.2 * half,
                "\(name): \(interval)")
        }
        // A threshold is found and not measured.
        #expect(measures.metrics().row("best-threshold", ["method": "clip"])?.interval == nil)
    }

    @Test func withoutALabelInAMaskRowsSaySo() throws {
        func metrics(_ part: ExplainabilityPart) throws -> [Metric] {
            try ExplainabilityMeasures(
                spec: Self.spec(), cases: [.reading(.clip)], images: HandMade.images, classNames: ["cat"],
                templates: ["{}"], isPartial: false,
                facts: SurgerySample.facts(of: [[0]]), scores: Sample.reduced([part]),
                attention: AttentionWithinLabels(), sensitivity: [], sentences: [], trust: nil
            ).metrics().filter { $0.subject["method"] == "clip" }
        }
        var part = ExplainabilityPart(cases: 1)
        part.appendImage(predicted: 0, margin: 0)
        let nothing = try metrics(part)
        #expect(nothing.count == 3 && nothing.allSatisfy { $0.status == .notRun && $0.value == nil }, "\(nothing)")
        #expect(nothing.prefix(2).allSatisfy { $0.note == "no mask shows one of the labels" })
        // A label that fills every mask has an overlap, but nothing to be brighter than.
        try part.appendLabel(0, mask: Sample.everywhere.mask, maps: [Sample.everywhere.map])
        let everywhere = try metrics(part)
        #expect(
            everywhere.map(\.status) == [.ok, .ok, .notRun]
                && everywhere[2].note == "no mask shows one of the labels and anything else")
    }

    // MARK: Lists and tables

    @Test func thresholdsHaveEveryCurve() throws {
        let measures = try measures()
        #expect(measures.curves.name == "thresholds.csv")
        let (header, rows) = try #require(measures.curves.list)
        #expect(header == ["threshold"] + measures.cases.map(\.name) && rows.count == 101)
        #expect(rows.map { $0[0] } == (0...100).map { .number(Double($0) / 100) })
        // The flawed case, then a perfect one; nothing exceeds 1.
        for (index, value) in [(0, (2.0 / 3 + 0.5 + 1) / 3), (20, 2.5 / 3), (60, 2.0 / 3), (100, 0)] {
            #expect(
                rows[index][1].isNear(value) && rows[index][2].isNear(index < 100 ? 1 : 0),
                "\(index): \(rows[index].prefix(3))")
        }
        #expect(rows.allSatisfy { $0.count == header.count })
    }

    @Test func pairsLeadToImagesAndLabels() throws {
        let measures = try measures()
        #expect(measures.pairs.name == "pairs.csv")
        let (header, rows) = try #require(measures.pairs.list)
        #expect(header.count == 2 + 2 * measures.cases.count && rows.allSatisfy { $0.count == header.count })
        #expect(
            rows.map { Array($0.prefix(2)) } == [
                [.text("d/val/0"), .text("pig")], [.text("d/val/0"), .text("cat")], [.text("d/val/2"), .text("dog")],
            ])
        let (ratio, contrast) = (
            try #require(header.firstIndex(of: "iou_clip")), try #require(header.firstIndex(of: "contrast_clip"))
        )
        #expect(rows.map { $0[ratio] } == [.number(1), .number(0.5), .number(1)])
        #expect(rows[0][contrast].isNear(Sample.first.contrast) && rows[1][contrast].isNear(Sample.second.contrast))
        #expect(rows[2][contrast].isNaN)
        #expect(header.contains("iou_clip-surgery-absent-label") && header.contains("contrast_gem"))
        let vocabulary = measures.vocabulary
        #expect(
            vocabulary.name == "vocabulary.csv"
                && vocabulary.list?.rows == [[.text("cat")], [.text("dog")], [.text("pig")]])
    }

    @Test func everyCellOfTheTablesHasItsMetric() throws {
        for secondOrder in [false, true] {
            let measures = try measures(secondOrder: secondOrder)
            let layouts = ExplainabilityTables(measures).layouts
            #expect(layouts.cellsWithout(measures.metrics()) == [])
            #expect(
                layouts.map(\.rows.count) == [
                    ExplainabilityCase.all(depth: 2, secondOrder: secondOrder).count, 3, 2, 2,
                ])
            #expect(layouts.allSatisfy { layout in layout.rows.allSatisfy { $0.cells.count == layout.columns.count } })
            #expect(layouts[0].footnotes.contains { $0.contains("3 neurons of layers 1") } == secondOrder)
            #expect(
                layouts[0].footnotes.contains {
                    $0.contains("3 pairs of an image and a label") && $0.contains("3 names (cat, dog, pig")
                })
            #expect(layouts[2].title.contains("first 3 images"))
            // Every row is called differently.
            #expect(Set(layouts[0].rows.map(\.header)).count == layouts[0].rows.count)
        }
    }
}
