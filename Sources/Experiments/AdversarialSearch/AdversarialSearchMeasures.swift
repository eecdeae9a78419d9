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

    private var rows: RowMaker { RowMaker(AdversarialSearchExperiment.name, spec.study, isPartial: isPartial) }
    private var units: [SearchUnit] { SearchUnit.all(spec) }

    /// Pictures as a data set of their own.
    private var images: ImageSet { ImageSet(dataset: trust.fit.dataset, split: "search") }

    static func subject(_ pair: ClassPair, _ method: SearchMethod) -> Subject {
        ["pair": pair.name, "method": method.rawValue]
    }

    /// The pictures of one repeat.
    private func facts(_ unit: Int) -> ArraySlice<SearchPictures.Facts> {
        pictures.facts[unit * spec.pictures..<(unit + 1) * spec.pictures]
    }

    private func units(_ pair: Int, _ method: SearchMethod) -> [Int] {
        units.indices.filter { units[$0].pair == pair && units[$0].method == method }
    }

    func metrics() -> [Metric] {
        var metrics: [Metric] = []
        for (index, pair) in spec.pairs.enumerated() {
            for method in SearchMethod.allCases { metrics += self.metrics(index, pair, method) }
        }
        return metrics + trust.metrics(rows, evaluated: trust.decomposition.images)
    }

    private func metrics(_ index: Int, _ pair: ClassPair, _ method: SearchMethod) -> [Metric] {
        let repeats = units(index, method).map { unit in
            facts(unit).filter { $0.failure == nil }.map { $0.isFooling ? 1.0 : 0 }
        }
        let (all, missing) = (repeats.flatMap { $0 }, repeats.reduce(0) { $0 + spec.pictures - $1.count })
        // A repeat of which no picture was made says nothing.
        let shares = repeats.filter { !$0.isEmpty }.map(\.mean)
        let intervals = intervals(index, method)
        let paper = pair.paper.flatMap { PaperValues.Table3.row($0, method) }
        let notes = [
            spec.generator.isVerified ? nil : "nobody has looked whether the pictures show the one class and not the other",
            missing > 0 ? "\(missing) of \(all.count + missing) pictures were not made" : nil,
        ].compactMap { $0 }
        let subject = Self.subject(pair, method)
        return [
            rows.metric(
                "fooling-pictures", subject, shares.mean, of: images, n: all.count, skipped: missing,
                interval: intervals.mean, paper: paper?.mean,
                note: notes.isEmpty ? nil : notes.joined(separator: "; ")),
            rows.metric(
                "fooling-pictures-deviation", subject, Self.deviation(shares), of: images, n: shares.count,
                interval: intervals.deviation, paper: paper?.deviation,
                note: "standard deviation over \(shares.count) repeats"),
        ]
    }

    /// Of the population, as the paper has it; one repeat alone has none.
    private static func deviation(_ shares: [Double]) -> Double {
        guard shares.count > 1 else { return .nan }
        let mean = shares.mean
        return (shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count)).squareRoot()
    }

    /// Pictures of one description show the same words and are fooled together, so descriptions are drawn again.
    private func intervals(_ pair: Int, _ method: SearchMethod) -> (mean: Metric.Interval?, deviation: Metric.Interval?) {
        let units = units(pair, method)
        // A row for each description: fooling pictures and pictures, in the columns of its repeat.
        let rows = units.enumerated().flatMap { column, unit in
            Dictionary(grouping: facts(unit).filter { $0.failure == nil }, by: \.description).sorted { $0.key < $1.key }.map {
                var row = [Double](repeating: 0, count: 2 * units.count)
                row[2 * column] = Double($0.value.count(where: \.isFooling))
                row[2 * column + 1] = Double($0.value.count)
                return row
            }
        }
        func shares(_ sums: [Double]) -> [Double] {
            units.indices.filter { sums[2 * $0 + 1] > 0 }.map { sums[2 * $0] / sums[2 * $0 + 1] }
        }
        let intervals = self.rows.bootstrap(over: "description").intervals(
            ofSums: rows, [{ shares($0).mean }, { Self.deviation(shares($0)) }])
        return (intervals[0], intervals[1])
    }

    func predictionSets() -> [PredictionSet] {
        spec.pairs.enumerated().flatMap { index, pair in
            SearchMethod.allCases.map { method in
                PredictionSet(
                    experiment: AdversarialSearchExperiment.name, condition: Self.subject(pair, method),
                    predictions: units(index, method).flatMap { unit in
                        facts(unit).enumerated().compactMap { picture, facts in
                            facts.margin.map {
                                Prediction(
                                    imageID: units[unit].pictureID(picture, spec), label: pair.shown,
                                    prediction: facts.isFooling ? pair.mistakenFor : pair.shown, margin: Double(abs($0)))
                            }
                        }
                    })
            }
        }
    }

    // MARK: Tables

    var tables: [TableLayout] { [table3, wordTable] }

    private var table3: TableLayout {
        let columns = SearchMethod.allCases.flatMap { method -> [TableLayout.Column] in
            let parts = method == .randomWords ? ["mean", "std"] : ["mean", "std", "paper"]
            return parts.map { .init($0, group: method.title) }
        }
        return TableLayout(
            title: "Table 3: pictures of the first class that are taken for the second, of \(spec.pictures)",
            rowHeader: "pair", columns: columns,
            rows: spec.pairs.map { pair in
                .init(
                    pair.name,
                    SearchMethod.allCases.flatMap { method -> [TableLayout.Cell] in
                        let subject = Self.subject(pair, method)
                        let measured: [TableLayout.Cell] = [
                            .init("fooling-pictures", subject, .value), .init("fooling-pictures-deviation", subject, .value),
                        ]
                        return method == .randomWords ? measured : measured + [.init("fooling-pictures", subject, .paper)]
                    })
            },
            footnotes: [
                "\(spec.pictures) pictures × \(spec.repeats) repeats; std over the repeats. 95 % intervals, bootstrap over descriptions, are in the CSV.",
                filterNote,
                "\(spec.neurons) neurons are read; indirect: of a sample of \(spec.indirect.neurons) in each layer, second order: of all. random words: a control that the paper does not have.",
                "paper: the pair that reads alike, ViT-B/32 of OpenAI, pictures by a diffusion model; not comparable.",
            ] + (failureNote.map { [$0] } ?? []))
    }

    /// What a reader can do about pictures that are missing: they are kept as missing like any other result.
    private var failureNote: String? {
        let failures = pictures.facts.compactMap(\.failure)
        guard let first = failures.first else { return nil }
        return "\(failures.count) of \(pictures.facts.count) pictures were not made, the first because: \(first.summary). "
            + "All reasons are in pictures.csv; --force search-pictures asks for every picture again."
    }

    private var filterNote: String {
        let synonyms = "Dropped: phrases with a cosine above \(spec.synonymSimilarity) with the second class."
        return switch spec.generator.source {
        case .scenes(excludesRelatives: true):
            synonyms + " Never in a picture: what the second class names, and its whole CLDR subgroup."
        case .scenes(excludesRelatives: false): synonyms + " Never in a picture: what the second class names; relatives may be."
        case .command: synonyms + " Pictures by an external command, which nobody has looked at."
        }
    }

    private var wordTable: TableLayout {
        TableLayout(
            title: "The spurious words of the first repeat: what pushes the first class to the second",
            rowHeader: "pair",
            columns: [
                .init("words by second-order effects", isText: true),
                .init("the neuron that brings most of them, turned to the second class", isText: true),
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
                    ])
            },
            footnotes: ["− stands before what the neuron speaks against."]
                + spec.pairs.compactMap { pair in pair.why.map { "\(pair.name): \($0)" } })
    }

    /// The first repeat of the search by second-order effects.
    private func search(_ pair: Int) -> SearchWords.Search? {
        units(pair, .secondOrder).first.map { words.searches[$0] }
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
                "pictures.csv",
                .list(
                    header: ["picture", "description", "objects", "margin", "fools", "failure"],
                    rows: units.indices.flatMap { unit in
                        facts(unit).enumerated().map { picture, facts in
                            [
                                .text(units[unit].pictureID(picture, spec)), .text(descriptions[unit][facts.description].text),
                                .text(facts.objects.joined(separator: "; ")), .number(Double(facts.margin ?? .nan)),
                                .text(facts.failure == nil ? "\(facts.isFooling)" : ""), .text(facts.failure?.summary ?? ""),
                            ]
                        }
                    })),
        ]
    }
}
