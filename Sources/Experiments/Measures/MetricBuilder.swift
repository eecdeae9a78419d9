import Pipeline

/// Makes the rows of one experiment: what they have in common is said once.
struct MetricBuilder: Sendable {
    let experiment: String
    let world: String
    let model: String
    let isPartial: Bool
    let seed: Int
    /// All that decides the numbers, by the names that papers' files use.
    private let settings: [String: String]

    /// - Parameter settings: nothing for numbers that no paper has.
    init(_ experiment: String, _ setting: SettingSpec, settings: [String: String] = [:], isPartial: Bool) {
        self.experiment = experiment
        world = setting.world
        model = setting.model
        self.isPartial = isPartial
        seed = setting.seed
        self.settings = settings
    }

    /// What keeps numbers from being set beside a paper's, for the footnote of a table with both.
    /// - Parameters:
    ///   - numbers: the paper's.
    ///   - others: what decides these numbers besides.
    func comparability(with numbers: [PaperNumber?], _ others: [String: String] = [:]) -> String {
        let numbers = numbers.compactMap { $0 }
        guard !numbers.isEmpty else { return "experiments/papers has no number of it" }
        let names = numbers.reduce(into: Set<String>()) { $0.formUnion($1.differences(from: all(others))) }
        guard names.isEmpty else { return "not comparable, for another \(names.sorted().joined(separator: ", "))" }
        return isPartial
            ? "the same in all that decides them, but a part of the images only" : "the same in all that decides them"
    }

    private func all(_ others: [String: String]) -> [String: String] { settings.merging(others) { $1 } }

    /// Draws again images, or what else a number is a mean of.
    func bootstrap(over unit: String = "image") -> Bootstrap { Bootstrap(seed: UInt64(seed), resamplingUnit: unit) }

    /// - Parameters:
    ///   - paper: the paper's number, which may be of other settings.
    ///   - others: what decides this number besides the settings of all, by the names that papers' files use.
    func metric(
        _ name: String, _ subject: Subject, _ value: Double, of images: ImageSet, n: Int, skipped: Int = 0,
        unit: String = "share", higherIsBetter: Bool = true, interval: Metric.Interval? = nil,
        paper: PaperNumber? = nil, settings others: [String: String] = [:], note: String? = nil,
        terms: ImageTerms? = nil
    ) -> Metric {
        Metric(
            experiment: experiment, world: world, model: model, dataset: images.name,
            subject: subject, name: name, value: value, unit: unit, higherIsBetter: higherIsBetter, n: n,
            skipped: skipped + images.skipped,
            interval: interval, paper: paper?.value,
            isComparable: paper.map { $0.differences(from: all(others)).isEmpty } ?? false,
            isPartial: isPartial, note: note, terms: terms)
    }

    /// A mean with its interval.
    /// - Parameter places: where `unit` is an image, the indices of those that the values are of; nil for the first of the set.
    func mean(
        _ name: String, _ subject: Subject, _ values: [Double], of images: ImageSet, at places: [Int]? = nil,
        over unit: String = "image",
        unit metricUnit: String = "share", higherIsBetter: Bool = true, paper: PaperNumber? = nil,
        settings others: [String: String] = [:], note: String? = nil
    ) -> Metric {
        metric(
            name, subject, values.mean, of: images, n: values.count, unit: metricUnit, higherIsBetter: higherIsBetter,
            interval: bootstrap(over: unit).interval(ofMean: values), paper: paper, settings: others, note: note,
            terms: unit == "image" ? terms(values, of: images, at: places) : nil)
    }

    private func terms(_ values: [Double], of images: ImageSet, at places: [Int]?) -> ImageTerms? {
        let places = places ?? Array(values.indices)
        precondition(places.count == values.count, "\(values.count) values of \(places.count) images")
        return ImageTerms(of: images, zip(places, values).map { .init(image: $0, numerator: $1) })
    }

    /// A quantile with its interval.
    func quantile(
        _ name: String, _ subject: Subject, _ probability: Double, _ values: [Double], of images: ImageSet,
        over unit: String = "image", unit metricUnit: String = "share", higherIsBetter: Bool = true, note: String? = nil
    ) -> Metric {
        metric(
            name, subject, Quantile.of(values.sorted(), probability), of: images, n: values.count, unit: metricUnit,
            higherIsBetter: higherIsBetter,
            interval: bootstrap(over: unit).interval(ofQuantile: probability, of: values),
            note: note)
    }

    /// A share of images, such as an accuracy, with its interval.
    func share(
        _ name: String, _ subject: Subject, _ values: [Bool], of images: ImageSet, at places: [Int]? = nil,
        over unit: String = "image",
        higherIsBetter: Bool = true, paper: PaperNumber? = nil, settings others: [String: String] = [:],
        note: String? = nil
    ) -> Metric {
        let numbers = values.map { $0 ? 1.0 : 0 }
        return metric(
            name, subject, numbers.mean, of: images, n: values.count, higherIsBetter: higherIsBetter,
            interval: ShareInterval(unit: unit).interval(of: values), paper: paper, settings: others, note: note,
            terms: unit == "image" ? terms(numbers, of: images, at: places) : nil)
    }
}

extension ImageTerms {
    /// What the images of a set add to a number.
    init?(of images: ImageSet, parts: [String] = [""], _ terms: [Term]) {
        let count = (terms.lazy.map(\.image).max() ?? -1) + 1
        self.init(images: (0..<count).map(images.imageID), parts: parts, terms)
    }
}

extension Collection where Element == Double {
    /// NaN where there is none.
    var mean: Double { reduce(0, +) / Double(count) }
}

extension [TableLayout] {
    /// The tables, saying in their titles that they were made from some of the images only.
    func marked(partial: Bool, images: Int) -> [TableLayout] {
        guard partial else { return self }
        return map { layout in
            var marked = layout
            marked.title += " — PARTIAL, \(images) images only"
            return marked
        }
    }
}
