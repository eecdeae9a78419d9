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
            for (index, outcome) in (outcomes[unit] ?? [false, false, false, false]).enumerated() {
                let facts = SearchPictures.Facts(
                    description: index / 2, objects: ["moon"], failure: outcome == nil ? .timedOut(seconds: 3) : nil,
                    margin: outcome.map { $0 ? 0.25 : -0.5 })
                pictures.append(outcome.map { _ in RGBImage(width: 1, height: 1, pixels: [1, 2, 3]) }, facts)
            }
        }
        return AdversarialSearchMeasures(
            spec: spec, isPartial: false, words: SearchWords(searches: SearchUnit.all(spec).map { search($0) }),
            descriptions: SearchUnit.all(spec).map { _ in
                [PictureDescription(text: "first", phrases: []), PictureDescription(text: "second", phrases: [])]
            },
            pictures: pictures,
            trust: TrustFindings(
                fit: HandMade.fit, evaluation: HandMade.fit, decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: [0: 1e-7]),
                overlap: nil))
    }

    func unit(_ method: SearchMethod, _ index: Int, pair: Int = 0) -> SearchUnit {
        SearchUnit(pair: pair, method: method, repeat: index)
    }

    func row(
        _ measures: AdversarialSearchMeasures, _ method: SearchMethod = .secondOrder, pair: Int = 0, deviation: Bool = false
    ) throws -> Metric {
        let subject = AdversarialSearchMeasures.subject(measures.spec.pairs[pair], method)
        let name = deviation ? "fooling-pictures-deviation" : "fooling-pictures"
        return try #require(measures.metrics().first { $0.name == name && $0.subject == subject })
    }

    @Test func meanAndDeviationAreOverTheRepeats() throws {
        let measures = try measures([unit(.secondOrder, 0): [true, false, true, true], unit(.secondOrder, 1): [false, false, true, false]])
        let (mean, deviation) = (try row(measures), try row(measures, deviation: true))
        #expect(mean.value == 0.5 && mean.n == 8 && mean.skipped == 0 && mean.note == nil && mean.dataset == "d/search")
        // Of the population: both repeats are a quarter away.
        #expect(deviation.value == 0.25 && deviation.n == 2)
        // Pictures of one description are drawn together: 1 and 2 of two in the first repeat, 0 and 1 in the second.
        let byDescription = [[1.0, 2, 0, 0], [2, 2, 0, 0], [0, 0, 0, 2], [0, 0, 1, 2]]
        func shares(_ sums: [Double]) -> [Double] { [0, 2].filter { sums[$0 + 1] > 0 }.map { sums[$0] / sums[$0 + 1] } }
        let drawn = Bootstrap(seed: 7, resamplingUnit: "description").intervals(
            ofSums: byDescription, [{ shares($0).reduce(0, +) / Double(shares($0).count) }])
        #expect(mean.interval == drawn[0] && mean.interval != nil)
        #expect((mean.interval?.lower ?? 1) < 0.5 && (mean.interval?.upper ?? 0) > 0.5)
        for method in SearchMethod.allCases {
            for pair in 0..<2 where method != .secondOrder || pair == 1 {
                #expect(try row(measures, method, pair: pair).value == 0)
                #expect(try row(measures, method, pair: pair, deviation: true).value == 0)
            }
        }
        #expect(measures.metrics().count == 2 * 5 * 2 + 2)
    }

    @Test func picturesThatWereNotMadeAreLeftOutAndCounted() throws {
        let measures = try measures([unit(.indirect, 0): [true, nil, nil, false], unit(.indirect, 1): [true, true, true, nil]])
        let mean = try row(measures, .indirect)
        #expect(mean.value == 0.75 && mean.n == 5 && mean.skipped == 3)
        #expect(mean.note == "3 of 8 pictures were not made")
        #expect(try row(measures, .indirect, deviation: true).value == 0.25)
        #expect(try #require(measures.tables.first).footnotes.last?.contains("3 of 80 pictures were not made") == true)
    }

    @Test func aRepeatWithoutPicturesSaysNothing() throws {
        let measures = try measures([unit(.indirect, 0): [nil, nil, nil, nil], unit(.indirect, 1): [true, true, true, false]])
        let (mean, deviation) = (try row(measures, .indirect), try row(measures, .indirect, deviation: true))
        #expect(mean.value == 0.75 && mean.n == 4 && mean.skipped == 4 && mean.status == .ok)
        #expect(deviation.status == .nan && deviation.value == nil && deviation.n == 1)
    }

    @Test func withoutAnyPictureThereIsNoNumber() throws {
        let measures = try measures([unit(.indirect, 0): [nil, nil, nil, nil], unit(.indirect, 1): [nil, nil, nil, nil]])
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
            .randomNeurons: (0.003, 0.005), .indirect: (0.063, 0.048), .similarWords: (0.033, 0.009), .secondOrder: (0.227, 0.005),
        ]
        for method in SearchMethod.allCases {
            let (mean, deviation) = (try row(measures, method).paper, try row(measures, method, deviation: true).paper)
            if let (value, spread) = expected[method] {
                #expect(abs((mean?.value ?? 0) - value) < 1e-12 && abs((deviation?.value ?? 0) - spread) < 1e-12)
                #expect(mean?.source.contains("Table 3, row 'dog-deer'") == true)
            } else {
                #expect(mean == nil && deviation == nil)
            }
            #expect(try row(measures, method, pair: 1).paper == nil && row(measures, method).verdict != .match)
        }
    }

    @Test func picturesOfACommandAreNotVerified() throws {
        #expect(try row(measures()).note == nil)
        let measures = try measures([unit(.secondOrder, 0): [nil, true, true, true]], spec: SearchSample.specText)
        #expect(try row(measures).note == "nobody has looked whether the pictures show the one class and not the other; 1 of 8 pictures were not made")
    }

    @Test func predictionsLeadToEveryPictureThatWasMade() throws {
        let measures = try measures([unit(.secondOrder, 1): [true, nil, false, true]])
        let sets = measures.predictionSets()
        #expect(sets.count == 10)
        let set = try #require(sets.first { $0.condition == AdversarialSearchMeasures.subject(measures.spec.pairs[0], .secondOrder) })
        #expect(set.predictions.count == 7)
        #expect(set.predictions.suffix(3).map(\.prediction) == ["dog", "cat", "dog"])
        #expect(set.predictions.suffix(3).map(\.margin) == [0.25, 0.5, 0.25] && set.predictions.allSatisfy { $0.label == "cat" })
        #expect(set.predictions.suffix(3).map(\.imageID) == ["cat→dog/second-order/1/0", "cat→dog/second-order/1/2", "cat→dog/second-order/1/3"])
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
        #expect(tables[1].rows[0].cells[0] == .text("ship, leash, moon"))
        let neuronCell = try #require(tables[1].rows[0].cells.last)
        guard case .text(let neuron) = neuronCell else {
            Issue.record("the neuron is no text: \(neuronCell)")
            return
        }
        #expect(neuron.hasPrefix("2.1: ") && neuron.contains("+ship") && neuron.contains("+leash"))
    }

    @Test func listsHoldEveryPhraseAndPicture() throws {
        let measures = try measures([unit(.secondOrder, 0): [true, nil, false, true]])
        let lists = Dictionary(uniqueKeysWithValues: measures.lists.map { ($0.name, $0.content) })
        guard case .list(let header, let words) = lists["words.csv"], case .list(let columns, let pictures) = lists["pictures.csv"] else {
            Issue.record("no lists")
            return
        }
        #expect(words.count == 20 * 3 && words.allSatisfy { $0.count == header.count })
        let second = words.filter { $0[0] == .text("cat→dog") && $0[1] == .text("second-order") && $0[2] == .integer(0) }
        #expect(second.map { $0[4] } == [.text("ship"), .text("leash"), .text("moon")] && second[0][5] == .number(1.25))
        #expect(pictures.count == 80 && pictures.allSatisfy { $0.count == columns.count })
        let of = pictures.filter { if case .text(let id) = $0[0] { id.hasPrefix("cat→dog/second-order/0/") } else { false } }
        #expect(of[0].dropFirst() == [.text("first"), .text("moon"), .number(0.25), .text("true"), .text("")])
        #expect(of[1].suffix(2) == [.text(""), .text("no picture within 3.0 s")] && of[2][1] == .text("second"))
        #expect(of[2].suffix(3) == [.number(-0.5), .text("false"), .text("")])
    }

    @Test func aBrokenIdentityIsAFailedControl() throws {
        #expect(try measures().trust.failedControls() == [])
        #expect(try !measures(identity: 0.01).trust.failedControls().isEmpty)
    }
}
