import Pipeline

/// Numbers of open-vocabulary segmentation.
struct OpenVocabularyMeasures {
    let spec: OpenVocabularySpec
    let images: ImageSet
    let classNames: [String]
    /// Sentences that the names stand in.
    let templates: [String]
    let isPartial: Bool
    let facts: ImageFacts
    let scores: OpenVocabularyScores

    /// All that decides the numbers, by the names that papers' files use.
    var settings: [String: String] = [:]
    /// The paper's numbers.
    var paper: PaperTable?

    private var rows: MetricBuilder {
        MetricBuilder(
            OpenVocabularyExperiment.name, spec.surgery.setting,
            settings: settings.merging(["depth": "\(spec.surgery.depth)"]) { $1 },
            isPartial: isPartial)
    }

    /// How the paper's numbers stand to these.
    var comparability: String? {
        let numbers = OpenVocabularyCase.readings(depth: spec.surgery.depth).compactMap {
            paper?[$0.name, images.dataset]
        }
        return numbers.isEmpty ? nil : rows.comparability(with: numbers)
    }

    private var control: BaselineControl {
        BaselineControl(
            objects: facts.objects, predicted: scores.predicted, floor: spec.controls.accuracyFloor,
            seed: spec.surgery.setting.seed)
    }

    static func subject(_ item: OpenVocabularyCase) -> Subject {
        ["method": item.reading.name, "choice": item.choice.rawValue]
    }

    var cases: [OpenVocabularyCase] { OpenVocabularyCase.all(depth: spec.surgery.depth) }

    func metrics() -> [Metric] {
        control.metrics(rows, of: images) + cases.enumerated().flatMap { metrics($0.offset, $0.element) }
    }

    private func metrics(_ index: Int, _ item: OpenVocabularyCase) -> [Metric] {
        let (entries, subject) = (scores.entries(of: index), Self.subject(item))
        let total = LabelOverlap(entries, vocabulary: classNames.count)
        // Most labels of a large vocabulary have few images.
        let intervals = Jackknife(seed: UInt64(spec.surgery.setting.seed)).intervals(of: entries.count) { counts in
            let overlap = LabelOverlap(zip(entries, counts).filter(\.1).map(\.0), vocabulary: classNames.count)
            return [overlap.meanIntersectionOverUnion, overlap.pixelAccuracy]
        }
        let terms = terms(of: index)
        let metrics = [
            rows.metric(
                "mean-iou", subject, total.meanIntersectionOverUnion, of: images, n: entries.count,
                interval: intervals[0],
                paper: item.choice == .all ? paper?[item.reading.name, images.dataset] : nil,
                note: "mean over \(total.labels) labels", terms: terms.overlap),
            rows.metric(
                "pixel-accuracy", subject, total.pixelAccuracy, of: images, n: entries.count, interval: intervals[1],
                terms: terms.hits),
        ]
        guard entries.isEmpty else { return metrics }
        let reason = item.choice == .all ? "no mask shows one of the labels" : "no mask shows several labels"
        return metrics.map { $0.without(.notRun, because: reason) }
    }

    /// What every image adds to both means; labels that no image shows count in neither.
    private func terms(of index: Int) -> (overlap: ImageTerms?, hits: ImageTerms?) {
        let entries = scores.entriesOrNothing(of: index)
        let shown = Set(entries.joined().filter { $0.shown > 0 }.map(\.label))
        let overlap = entries.enumerated().flatMap { image, entries in
            entries.filter { shown.contains($0.label) }.map { entry in
                ImageTerms.Term(
                    image: image, part: Int(entry.label), numerator: Double(entry.hit),
                    denominator: Double(entry.found + entry.shown - entry.hit))
            }
        }
        let hits = entries.enumerated().map { image, entries in
            let (hit, shown) = entries.reduce((0, 0)) { ($0.0 + Int($1.hit), $0.1 + Int($1.shown)) }
            return ImageTerms.Term(image: image, numerator: Double(hit), denominator: Double(shown))
        }
        return (ImageTerms(of: images, parts: classNames, overlap), ImageTerms(of: images, hits))
    }

    func predictionSets() -> [PredictionSet] {
        [
            PredictionSet(
                experiment: OpenVocabularyExperiment.name,
                answers: zip(scores.predicted, scores.margins), of: images, facts, classNames)
        ]
    }

    func failedControls() -> [FailedControl] { control.failedControls() }

    /// Pixels of every image behind the means, for the whole vocabulary.
    var list: Attachment {
        let all = cases.indices.filter { cases[$0].choice == .all }
        let entries = all.map { item in scores.entriesOrNothing(of: item) }
        return Attachment(
            "images.csv",
            .list(
                header: ["image"] + all.map { "pixel_accuracy_\(cases[$0].reading.name)" },
                rows: (0..<scores.images).map { image in
                    [.text(images.imageID(image))]
                        + entries.map { entries in
                            let (hit, shown) = entries[image].reduce((0, 0)) {
                                ($0.0 + Int($1.hit), $0.1 + Int($1.shown))
                            }
                            return .number(Double(hit) / Double(shown))
                        }
                }))
    }
}
