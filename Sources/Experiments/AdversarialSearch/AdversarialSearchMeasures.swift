import Inputs
import Pipeline

/// Table 3: how many pictures of the one class are taken for the other.
struct AdversarialSearchMeasures {
    let spec: AdversarialSearchSpec
    let isPartial: Bool
    let words: SearchWords
    let descriptions: [[PictureDescription]]
    let pictures: SearchPictures
    let trust: TrustFindings
    /// All that decides the numbers, by the names that papers' files use.
    var settings: [String: String] = [:]
    /// The paper's Table 3.
    var paper: PaperTable?

    private var rows: MetricBuilder {
        MetricBuilder(
            AdversarialSearchExperiment.name, spec.study.setting, settings: settings,
            isPartial: isPartial)
    }
    private var units: [SearchUnit] { SearchUnit.all(spec) }

    /// Pictures as a data set of their own.
    private var images: ImageSet { ImageSet(dataset: trust.fit.dataset, split: "search") }

    static func subject(_ pair: ClassPair, _ method: SearchMethod) -> Subject {
        ["pair": pair.name, "method": method.rawValue]
    }

    static func subject(_ pair: ClassPair, _ method: SearchMethod, repeats: Int) -> Subject {
        Subject(subject(pair, method).columns + [.init("repeats", "\(repeats)")])
    }

    /// The pictures of one repeat.
    private func facts(_ unit: Int) -> ArraySlice<SearchPictures.Facts> {
        pictures.facts[unit * spec.pictures..<(unit + 1) * spec.pictures]
    }

    /// The first repeats.
    private func units(_ pair: Int, _ method: SearchMethod, _ repeats: Int) -> [Int] {
        units.indices.filter { units[$0].pair == pair && units[$0].method == method && units[$0].repeat < repeats }
    }

    func metrics() -> [Metric] {
        var metrics: [Metric] = []
        let effects = Dictionary(uniqueKeysWithValues: SearchMethod.allCases.map { ($0, designEffect($0)) })
        for (index, pair) in spec.pairs.enumerated() {
            for method in SearchMethod.allCases {
                for repeats in spec.repeatCounts {
                    metrics += self.metrics(index, pair, method, repeats: repeats, effects[method] ?? 1)
                }
            }
        }
        return metrics + trust.metrics(rows, evaluated: trust.decomposition.images)
    }

    /// Shares over some of the repeats; over all of them also under a subject without their number.
    private func metrics(_ index: Int, _ pair: ClassPair, _ method: SearchMethod, repeats: Int, _ designEffect: Double)
        -> [Metric]
    {
        let found = units(index, method, repeats).map { unit in
            facts(unit).filter { $0.failure == nil }.map { $0.isFooling ? 1.0 : 0 }
        }
        let (all, missing) = (found.flatMap { $0 }, found.reduce(0) { $0 + spec.pictures - $1.count })
        // A repeat of which no picture was made says nothing.
        let shares = found.filter { !$0.isEmpty }.map(\.mean)
        let notes = [
            spec.generator.isVerified
                ? nil : "nobody has looked whether the pictures show the one class and not the other",
            missing > 0 ? "\(missing) of \(all.count + missing) pictures were not made" : nil,
        ].compactMap { $0 }
        let subject = Self.subject(pair, method, repeats: repeats)
        func number(_ column: String) -> PaperNumber? {
            pair.paper.flatMap { paper?[$0, "\(method.rawValue) \(column)"] }
        }
        func share(_ subject: Subject, _ paper: PaperNumber?) -> Metric {
            rows.metric(
                "fooling-pictures", subject, shares.mean, of: images, n: all.count, skipped: missing,
                interval: ShareInterval(unit: "picture").interval(
                    shares.mean, of: Double(all.count), designEffect: designEffect),
                paper: paper, settings: ["repeats": "\(repeats)"],
                note: notes.isEmpty ? nil : notes.joined(separator: "; "))
        }
        return [
            share(subject, number("mean")),
            rows.metric(
                "fooling-pictures-deviation", subject, Self.deviation(shares), of: images, n: shares.count,
                interval: deviationInterval(index, method, repeats), paper: number("std"),
                settings: ["repeats": "\(repeats)"],
                note: "standard deviation over \(shares.count) repeats"),
        ] + (repeats == spec.repeats ? [share(Self.subject(pair, method), nil)] : [])
    }

    /// How the paper's numbers stand to these.
    private var comparability: String {
        let numbers = spec.pairs.compactMap(\.paper).map { paper?[$0, "\(SearchMethod.secondOrder.rawValue) mean"] }
        return rows.comparability(with: numbers, ["repeats": "\(spec.repeatCounts.first ?? 0)"])
    }

    /// Standard deviation of the population, as the paper has it; NaN for one repeat alone.
    private static func deviation(_ shares: [Double]) -> Double {
        guard shares.count > 1 else { return .nan }
        let mean = shares.mean
        return (shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count)).squareRoot()
    }

    /// Fooling pictures and pictures of each description of a repeat.
    private func clusters(_ unit: Int) -> [(successes: Int, units: Int)] {
        Dictionary(grouping: facts(unit).filter { $0.failure == nil }, by: \.description).sorted { $0.key < $1.key }
            .map { ($0.value.count(where: \.isFooling), $0.value.count) }
    }

    /// How many pictures count for one, over all searches alike. Pictures of one description show the same words and are
    /// fooled together; where words are drawn anew for each repeat, all pictures of a repeat hang on one draw.
    private func designEffect(_ method: SearchMethod) -> Double {
        let alike = SearchMethod.allCases.filter { $0.isDrawn == method.isDrawn }
        return ShareInterval.designEffect(
            spec.pairs.indices.flatMap { pair in
                alike.map { other in
                    units(pair, other, spec.repeats).flatMap { unit -> [(successes: Int, units: Int)] in
                        let clusters = clusters(unit)
                        guard method.isDrawn else { return clusters }
                        return [
                            clusters.reduce((successes: 0, units: 0)) {
                                ($0.successes + $1.successes, $0.units + $1.units)
                            }
                        ]
                    }
                }
            })
    }

    /// Descriptions are drawn again.
    private func deviationInterval(_ pair: Int, _ method: SearchMethod, _ repeats: Int) -> Metric.Interval? {
        let units = units(pair, method, repeats)
        // A row for each description: fooling pictures and pictures, in the columns of its repeat.
        let rows = units.enumerated().flatMap { column, unit in
            clusters(unit).map { cluster in
                var row = [Double](repeating: 0, count: 2 * units.count)
                row[2 * column] = Double(cluster.successes)
                row[2 * column + 1] = Double(cluster.units)
                return row
            }
        }
        func shares(_ sums: [Double]) -> [Double] {
            units.indices.filter { sums[2 * $0 + 1] > 0 }.map { sums[2 * $0] / sums[2 * $0 + 1] }
        }
        return self.rows.bootstrap(over: "description").intervals(ofSums: rows, [{ Self.deviation(shares($0)) }])[0]
    }

    func predictionSets() -> [PredictionSet] {
        spec.pairs.enumerated().flatMap { index, pair in
            SearchMethod.allCases.map { method in
                PredictionSet(
                    experiment: AdversarialSearchExperiment.name, condition: Self.subject(pair, method),
                    predictions: units(index, method, spec.repeats).flatMap { unit in
                        facts(unit).enumerated().compactMap { picture, facts in
                            facts.margin.map {
                                Prediction(
                                    imageID: units[unit].pictureID(picture, spec), label: pair.shown,
                                    prediction: facts.isFooling ? pair.mistakenFor : pair.shown, margin: Double(abs($0))
                                )
                            }
                        }
                    })
            }
        }
    }

    // MARK: Tables

    var tables: [TableLayout] { [table3, wordTable] }

    private var table3: TableLayout {
        let first = spec.repeatCounts.first ?? 0
        let others = spec.repeatCounts.dropFirst()
        func hasPaper(_ method: SearchMethod) -> Bool { method != .randomWords }
        return TableLayout(
            title: "Table 3: pictures of the first class that are taken for the second (%)",
            rowHeader: "pair",
            columns: SearchMethod.allCases.flatMap { method in
                (["mean", "std"] + (hasPaper(method) ? ["paper"] : []) + others.map { "\($0) repeats" }).map {
                    TableLayout.Column($0, group: method.title)
                }
            },
            rows: spec.pairs.map { pair in
                .init(
                    pair.name,
                    SearchMethod.allCases.flatMap { method -> [TableLayout.Cell] in
                        let subject = Self.subject(pair, method, repeats: first)
                        return [
                            .init("fooling-pictures", subject, .value),
                            .init("fooling-pictures-deviation", subject, .value),
                        ]
                            + (hasPaper(method) ? [.init("fooling-pictures", subject, .paper)] : [])
                            + others.map { .init("fooling-pictures", Self.subject(pair, method, repeats: $0)) }
                    })
            },
            footnotes: [
                "mean and std: over \(first) repeats of \(spec.pictures) pictures\(first == 3 ? ", as the paper has it" : ""); brackets: 95 % interval of the share, Wilson's with a design effect: of the \(spec.imagesEach) pictures of a description, which are fooled together, \(Self.decimals(designEffect(.secondOrder))) count for one; of the \(spec.pictures) of a repeat whose neurons or words are drawn anew, \(Self.decimals(designEffect(.randomNeurons))).",
                "\(spec.synonyms.words) \(pictureNote)",
                "\(spec.neurons) neurons are read; indirect: of a sample of \(spec.indirect.neurons) in each layer, second order: of all; left out, for want of a gap between the first two directions: \(words.withoutGap.indirect) and \(words.withoutGap.secondOrder). Phrases are ranked by \(spec.ranking == .sums ? "their scores' sums over neurons" : "the scores of neuron and phrase"). random words: a control that the paper does not have.",
                "indirect hangs on rounding: of its words \(Int((100 * words.indirectFoundAgain).rounded())) % are found again where directions are turned by \(SearchWords.angle) radians, which other kernels can do; its intervals do not know of that.",
                "paper: the pair that reads alike, ViT-B/32 of OpenAI, pictures by a diffusion model, of 25 phrases, ten pictures of each of ten descriptions (the example of its released code: 50 phrases, four pictures); \(comparability).",
            ] + (failureNote.map { [$0] } ?? []))
    }

    private static func decimals(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

    /// What a reader can do about pictures that are missing: they are kept as missing like any other result.
    private var failureNote: String? {
        let failures = pictures.facts.compactMap(\.failure)
        guard let first = failures.first else { return nil }
        return
            "\(failures.count) of \(pictures.facts.count) pictures were not made, the first because: \(first.summary). "
            + "All reasons are in pictures.csv; --force search-pictures asks for every picture again."
    }

    private var pictureNote: String {
        switch spec.generator.source {
        case .scenes(excludesRelatives: true):
            "Never in a picture: what the second class names, and its whole CLDR subgroup."
        case .scenes(excludesRelatives: false): "Never in a picture: what the second class names; relatives may be."
        case .command: "Pictures by an external command, which nobody has looked at."
        }
    }

    private var wordTable: TableLayout {
        TableLayout(
            title: "The spurious words of the first repeat: what pushes the first class to the second",
            rowHeader: "pair",
            columns: [
                .init("words by second-order effects", isText: true),
                .init("the neuron that brings most of them, turned to the second class", isText: true),
                .init("dropped as synonyms", isText: true),
            ],
            rows: spec.pairs.enumerated().map { index, pair in
                .init(
                    pair.name,
                    [
                        .text(search(index)?.phrases.prefix(6).joined(separator: ", ") ?? ""),
                        .text(
                            search(index)?.neurons.first.map {
                                "\($0.layer).\($0.neuron): \($0.phrases.prefix(6).joined(separator: ", "))"
                            } ?? ""),
                        .text(search(index)?.synonyms.prefix(4).joined(separator: ", ") ?? ""),
                    ])
            },
            footnotes: ["− stands before what the neuron speaks against."]
                + spec.pairs.compactMap { pair in pair.why.map { "\(pair.name): \($0)" } })
    }

    /// The first repeat of the search by second-order effects.
    private func search(_ pair: Int) -> SearchWords.Search? {
        units(pair, .secondOrder, spec.repeats).first.map { words.searches[$0] }
    }

    // MARK: Lists

    var lists: [Attachment] {
        [
            Attachment(
                "words.csv",
                .list(
                    header: ["pair", "method", "repeat", "rank", "phrase", "score"],
                    rows: words.searches.flatMap { search in
                        zip(search.phrases, search.scores).enumerated().map { rank, entry in
                            [
                                .text(spec.pairs[search.unit.pair].name), .text(search.unit.method.rawValue),
                                .integer(search.unit.repeat), .integer(rank + 1), .text(entry.0), .number(entry.1),
                            ]
                        }
                    })),
            Attachment(
                "synonyms.csv",
                .list(
                    header: ["pair", "method", "repeat", "phrase", "similarity"],
                    rows: words.searches.flatMap { search in
                        zip(search.synonyms, search.synonymSimilarities).map { phrase, similarity in
                            [
                                .text(spec.pairs[search.unit.pair].name), .text(search.unit.method.rawValue),
                                .integer(search.unit.repeat), .text(phrase), .number(similarity),
                            ]
                        }
                    })),
            Attachment(
                "pictures.csv",
                .list(
                    header: ["picture", "description", "objects", "margin", "fools", "failure"],
                    rows: units.indices.flatMap { unit in
                        facts(unit).enumerated().map { picture, facts in
                            [
                                .text(units[unit].pictureID(picture, spec)),
                                .text(descriptions[unit][facts.description].text),
                                .text(facts.objects.joined(separator: "; ")), .number(Double(facts.margin ?? .nan)),
                                .text(facts.failure == nil ? "\(facts.isFooling)" : ""),
                                .text(facts.failure?.summary ?? ""),
                            ]
                        }
                    })),
        ]
    }
}
