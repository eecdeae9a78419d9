import Foundation
import Inputs
import Pipeline
import Testing

@testable import Experiments

/// Table 3 from pictures whose outcome is known.
@Suite struct AdversarialSearchMeasuresTests {
    /// Outcomes of the four pictures of a repeat: whether each fools, nil for one that was not made.
    typealias Outcomes = [Bool?]

    static let scenes = SearchSample.specText.replacingOccurrences(
        of: "generator: {kind: command, command: [cat]}", with: "generator: {kind: scenes}")

    /// - Parameter outcomes: of the searches that matter; all others fool nobody.
    func measures(
        _ outcomes: [SearchUnit: Outcomes] = [:], spec text: String = scenes, identity: Double = 1e-6
    ) throws -> AdversarialSearchMeasures {
        let spec = try SearchSample.spec(text)
        let search = try SearchSample.search(spec)
        var pictures = SearchPictures(size: 1)
        for unit in SearchUnit.all(spec) {
            pictures.append(
                (outcomes[unit] ?? [Bool?](repeating: false, count: spec.pictures)).enumerated().map { index, outcome in
                    let facts = SearchPictures.Facts(
                        description: index / spec.imagesEach, objects: ["moon"],
                        failure: outcome == nil ? .timedOut(seconds: 3) : nil,
                        margin: outcome.map { $0 ? 0.25 : -0.5 })
                    return (outcome.map { _ in RGBImage(width: 1, height: 1, pixels: [1, 2, 3]) }, facts)
                })
        }
        return try AdversarialSearchMeasures(
            spec: spec, isPartial: false,
            words: SearchWords(
                searches: SearchUnit.all(spec).map { search($0) }, withoutGap: .init(secondOrder: 1, indirect: 2),
                indirectFoundAgain: 0.875),
            descriptions: SearchUnit.all(spec).map { _ in
                [PictureDescription(text: "first", phrases: []), PictureDescription(text: "second", phrases: [])]
            },
            pictures: pictures,
            trust: TrustFindings(
                fit: HandMade.fit, evaluation: HandMade.fit,
                decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: [0: 1e-7]),
                overlap: nil),
            paper: HandMade.papers().table("2nd order", "Table 3"))
    }

    func unit(_ method: SearchMethod, _ index: Int, pair: Int = 0) -> SearchUnit {
        SearchUnit(pair: pair, method: method, repeat: index)
    }

    func row(
        _ measures: AdversarialSearchMeasures, _ method: SearchMethod = .secondOrder, pair: Int = 0,
        deviation: Bool = false,
        repeats: Int = 2
    ) throws -> Metric {
        let subject = AdversarialSearchMeasures.subject(measures.spec.pairs[pair], method, repeats: repeats)
        let name = deviation ? "fooling-pictures-deviation" : "fooling-pictures"
        return try #require(measures.metrics().first { $0.name == name && $0.subject == subject })
    }

    @Test func meanAndDeviationAreOverTheRepeats() throws {
        let measures = try measures([
            unit(.secondOrder, 0): [true, false, true, true], unit(.secondOrder, 1): [false, false, true, false],
        ])
        let (mean, deviation) = (try row(measures), try row(measures, deviation: true))
        #expect(mean.value == 0.5 && mean.n == 8 && mean.skipped == 0 && mean.note == nil && mean.dataset == "d/search")
        // Of the population: both repeats are a quarter away.
        #expect(deviation.value == 0.25 && deviation.n == 2)
        // 1, 2, 0 and 1 of the two pictures of a description, and none of the 20 others of searches without a draw: a mean square of
        // 1/18 between descriptions and of 1/24 within, a correlation of 1/7, so that 8 pictures count as 7.
        #expect(
            mean.interval?.method == "Wilson score, design effect 1.14" && mean.interval?.resamplingUnit == "picture")
        #expect(
            (mean.interval?.lower).isNear(0.2024, within: 1e-4) && (mean.interval?.upper).isNear(0.7976, within: 1e-4))
        for method in SearchMethod.allCases {
            for pair in 0..<2 where method != .secondOrder || pair == 1 {
                #expect(try row(measures, method, pair: pair).value == 0)
                #expect(try row(measures, method, pair: pair, deviation: true).value == 0)
            }
        }
        #expect(measures.metrics().count == 2 * 5 * 3 + 2)
        // Without the number of repeats stands the share of all.
        let all = measures.metrics().first {
            $0.name == "fooling-pictures"
                && $0.subject == AdversarialSearchMeasures.subject(measures.spec.pairs[0], .secondOrder)
        }
        #expect(all?.value == 0.5 && all?.paper == nil)
    }

    /// Where the pictures of a description are all fooled or none, two of them are one.
    @Test func picturesOfOneDescriptionAreOne() throws {
        let outcomes: Outcomes = [true, true, false, false]
        let every = SearchUnit.all(try SearchSample.spec(Self.scenes)).reduce(into: [:]) { $0[$1] = outcomes }
        let measures = try measures(every)
        let mean = try row(measures)
        #expect(mean.value == 0.5 && mean.n == 8 && mean.interval?.method == "Wilson score, design effect 2.0")
        // 2 in 4.
        #expect(
            (mean.interval?.lower).isNear(0.1500, within: 1e-4) && (mean.interval?.upper).isNear(0.8500, within: 1e-4))
        #expect(measures.tables[0].footnotes[0].contains("are fooled together, 2.0 count for one"))
        // Every repeat has two of four: words drawn anew make no difference.
        #expect(try row(measures, .randomNeurons).interval?.method == "Wilson score")
    }

    /// Where neurons are drawn anew for each repeat, the pictures of a repeat are fooled together or not at all.
    @Test func picturesOfOneDrawAreOne() throws {
        let outcomes = SearchUnit.all(try SearchSample.spec(Self.scenes)).filter { $0.method.isDrawn }.reduce(
            into: [SearchUnit: Outcomes]()
        ) {
            $0[$1] = [Bool?](repeating: $1.repeat == 0, count: 4)
        }
        let measures = try measures(outcomes)
        let drawn = try row(measures, .randomWords)
        #expect(drawn.value == 0.5 && drawn.interval?.method == "Wilson score, design effect 4.0")
        #expect(measures.tables[0].footnotes[0].contains("are drawn anew, 4.0."))
    }

    /// No picture of 8, and still something to say of how many there can be.
    @Test func aShareOfNothingHasAnIntervalToo() throws {
        let interval = try #require(try row(measures()).interval)
        #expect(interval.lower == 0 && abs(interval.upper - 0.3244) < 1e-4)
    }

    /// Three repeats, as the paper has it, and all of them.
    @Test func sharesStandForEachNumberOfRepeats() throws {
        let text = Self.scenes.replacing("repeats: [2]", with: "repeats: [3, 2]")
        let measures = try measures([unit(.secondOrder, 2): [true, true, true, true]], spec: text)
        #expect(try row(measures, repeats: 2).value == 0 && row(measures, repeats: 3).value.isNear(1.0 / 3))
        #expect(try row(measures, repeats: 2).n == 8 && row(measures, repeats: 3).n == 12)
        #expect(measures.tables[0].columns.map(\.header).prefix(3) == ["mean", "std", "3 repeats"])
        #expect(measures.tables.cellsWithout(measures.metrics()) == [])
    }

    @Test func picturesThatWereNotMadeAreLeftOutAndCounted() throws {
        let measures = try measures([
            unit(.indirect, 0): [true, nil, nil, false], unit(.indirect, 1): [true, true, true, nil],
        ])
        let mean = try row(measures, .indirect)
        #expect(mean.value == 0.75 && mean.n == 5 && mean.skipped == 3)
        #expect(mean.note == "3 of 8 pictures were not made")
        #expect(try row(measures, .indirect, deviation: true).value == 0.25)
        #expect(try #require(measures.tables.first).footnotes.last?.contains("3 of 80 pictures were not made") == true)
    }

    @Test func aRepeatWithoutPicturesSaysNothing() throws {
        let measures = try measures([
            unit(.indirect, 0): [nil, nil, nil, nil], unit(.indirect, 1): [true, true, true, false],
        ])
        let (mean, deviation) = (try row(measures, .indirect), try row(measures, .indirect, deviation: true))
        #expect(mean.value == 0.75 && mean.n == 4 && mean.skipped == 4 && mean.status == .ok)
        #expect(deviation.status == .nan && deviation.value == nil && deviation.n == 1)
    }

    @Test func withoutAnyPictureThereIsNoNumber() throws {
        let measures = try measures([
            unit(.indirect, 0): [nil, nil, nil, nil], unit(.indirect, 1): [nil, nil, nil, nil],
        ])
        for isDeviation in [false, true] {
            let row = try row(measures, .indirect, deviation: isDeviation)
            #expect(row.status == .empty && row.value == nil && row.interval == nil && row.n == 0)
        }
        #expect(try row(measures, .indirect).skipped == 8)
        let footnote = try #require(measures.tables.first?.footnotes.last)
        #expect(footnote.contains("no picture within 3.0 s") && footnote.contains("--force search-pictures"))
    }

    @Test func paperValuesStandAtTheirPairOnly() throws {
        let measures = try measures()
        // The first pair reads like dog-deer, the second like none.
        let expected: [SearchMethod: (Double, Double)] = [
            .randomNeurons: (0.003, 0.005), .indirect: (0.063, 0.048), .similarWords: (0.033, 0.009),
            .secondOrder: (0.227, 0.005),
        ]
        for method in SearchMethod.allCases {
            let (mean, deviation) = (try row(measures, method).paper, try row(measures, method, deviation: true).paper)
            if let (value, spread) = expected[method] {
                #expect(abs((mean?.value ?? 0) - value) < 1e-12 && abs((deviation?.value ?? 0) - spread) < 1e-12)
                #expect(
                    mean?.source.contains("Table 3, row 'dog-deer'") == true
                        && mean?.source.contains(method.rawValue) == true)
            } else {
                #expect(mean == nil && deviation == nil)
            }
            #expect(try row(measures, method, pair: 1).paper == nil && row(measures, method).verdict != .match)
        }
    }

    @Test func picturesOfACommandAreNotVerified() throws {
        #expect(try row(measures()).note == nil)
        let measures = try measures([unit(.secondOrder, 0): [nil, true, true, true]], spec: SearchSample.specText)
        #expect(
            try row(measures).note
                == "nobody has looked whether the pictures show the one class and not the other; 1 of 8 pictures were not made"
        )
    }

    @Test func predictionsLeadToEveryPictureThatWasMade() throws {
        let measures = try measures([unit(.secondOrder, 1): [true, nil, false, true]])
        let sets = measures.predictionSets()
        #expect(sets.count == 10)
        let set = try #require(
            sets.first { $0.condition == AdversarialSearchMeasures.subject(measures.spec.pairs[0], .secondOrder) })
        #expect(set.predictions.count == 7)
        #expect(set.predictions.suffix(3).map(\.prediction) == ["dog", "cat", "dog"])
        #expect(
            set.predictions.suffix(3).map(\.margin) == [0.25, 0.5, 0.25]
                && set.predictions.allSatisfy { $0.label == "cat" })
        #expect(
            set.predictions.suffix(3).map(\.imageID) == [
                "cat→dog/second-order/1/0", "cat→dog/second-order/1/2", "cat→dog/second-order/1/3",
            ])
    }

    @Test func tablesNameRowsThatExist() throws {
        let measures = try measures()
        let metrics = measures.metrics()
        let tables = measures.tables
        #expect(tables.map { $0.rows.map(\.header) } == [["cat→dog", "owl→cat"], ["cat→dog", "owl→cat"]])
        for table in tables {
            for row in table.rows {
                #expect(row.cells.count == table.columns.count)
                for case .metric(let name, let subject, _) in row.cells {
                    #expect(metrics.contains { $0.name == name && $0.subject == subject }, "\(name) \(subject)")
                }
            }
        }
        #expect(
            tables[1].rows[0].cells[0] == .text("ship, leash, moon")
                && tables[1].rows[0].cells[2] == .text("dog, puppy, hot dogs"))
        #expect(
            tables[0].footnotes.contains {
                $0.contains("left out, for want of a gap between the first two directions: 2 and 1")
            })
        #expect(
            tables[0].footnotes.contains {
                $0.contains("of its words 88 % are found again where directions are turned by 0.0001 radians")
            })
        let neuronCell = tables[1].rows[0].cells[1]
        guard case .text(let neuron) = neuronCell else {
            Issue.record("the neuron is no text: \(neuronCell)")
            return
        }
        #expect(neuron.hasPrefix("2.1: ") && neuron.contains("+ship") && neuron.contains("+leash"))
    }

    @Test func listsHoldEveryPhraseAndPicture() throws {
        let measures = try measures([unit(.secondOrder, 0): [true, nil, false, true]])
        let lists = Dictionary(uniqueKeysWithValues: measures.lists.map { ($0.name, $0.content) })
        guard case .list(let header, let words) = lists["words.csv"],
            case .list(let columns, let pictures) = lists["pictures.csv"]
        else {
            Issue.record("no lists")
            return
        }
        #expect(words.count == 20 * 3 && words.allSatisfy { $0.count == header.count })
        guard case .list(let synonymHeader, let synonyms) = lists["synonyms.csv"] else {
            Issue.record("no synonyms")
            return
        }
        let dropped = synonyms.filter {
            $0[0] == .text("cat→dog") && $0[1] == .text("second-order") && $0[2] == .integer(0)
        }
        #expect(synonymHeader.count == 5 && dropped.map { $0[3] } == [.text("dog"), .text("puppy"), .text("hot dogs")])
        let second = words.filter {
            $0[0] == .text("cat→dog") && $0[1] == .text("second-order") && $0[2] == .integer(0)
        }
        #expect(
            second.map { $0[4] } == [.text("ship"), .text("leash"), .text("moon")] && second[0][5] == .number(1.25))
        #expect(pictures.count == 80 && pictures.allSatisfy { $0.count == columns.count })
        let of = pictures.filter {
            if case .text(let id) = $0[0] { id.hasPrefix("cat→dog/second-order/0/") } else { false }
        }
        #expect(of[0].dropFirst() == [.text("first"), .text("moon"), .number(0.25), .text("true"), .text("")])
        #expect(of[1].suffix(2) == [.text(""), .text("no picture within 3.0 s")] && of[2][1] == .text("second"))
        #expect(of[2].suffix(3) == [.number(-0.5), .text("false"), .text("")])
    }

    @Test func aBrokenIdentityIsAFailedControl() throws {
        #expect(try measures().trust.failedControls() == [])
        #expect(try !measures(identity: 0.01).trust.failedControls().isEmpty)
    }
}
