import Pipeline

/// Makes the rows of one experiment: what they have in common is said once.
struct RowMaker: Sendable {
    let experiment: String
    let world: String
    let model: String
    let isPartial: Bool
    let seed: Int
    /// Whether model, prompts and what else stands in the spec are the paper's.
    private let isPapers: Bool

    /// For numbers that no paper has for this setting.
    init(_ experiment: String, _ setting: SettingSpec, isPartial: Bool) {
        self.init(experiment, setting, isPapers: false, isPartial: isPartial)
    }

    private init(_ experiment: String, _ setting: SettingSpec, isPapers: Bool, isPartial: Bool) {
        self.experiment = experiment
        world = setting.world
        model = setting.model
        self.isPartial = isPartial
        seed = setting.seed
        self.isPapers = isPapers
    }

    /// For the experiments of the second-order paper.
    init(_ experiment: String, _ study: StudySpec, isPartial: Bool) {
        self.init(experiment, study.setting, isPapers: study.isPapers, isPartial: isPartial)
    }

    /// Whether model, fit images, prompts and data are the paper's.
    private func isComparable(_ images: ImageSet) -> Bool {
        isPapers && images.isPublished && PaperValues.datasets.contains(images.dataset)
    }

    /// For the footnote of a table with the paper's values.
    /// - Parameter isPapersSetting: whether what else decides the numbers is the paper's.
    func standing(of images: ImageSet, isPapersSetting: Bool = true) -> String {
        guard isComparable(images), isPapersSetting else { return "another model, other pictures or another setting, so not comparable" }
        return isPartial ? "the same model and data, but a part of the images only" : "the same model and data"
    }

    /// Draws again images, or what else a number is a mean of.
    func bootstrap(over unit: String = "image") -> Bootstrap { Bootstrap(seed: UInt64(seed), resamplingUnit: unit) }

    func metric(
        _ name: String, _ subject: Subject, _ value: Double, of images: ImageSet, n: Int, skipped: Int = 0,
        unit: String = "share", higherIsBetter: Bool = true, interval: Metric.Interval? = nil,
        paper: Metric.PaperValue? = nil, isPapersSetting: Bool = true, note: String? = nil, terms: ImageTerms? = nil
    ) -> Metric {
        Metric(
            experiment: experiment, world: world, model: model, dataset: images.name,
            subject: subject, name: name, value: value, unit: unit, higherIsBetter: higherIsBetter, n: n, skipped: skipped + images.skipped,
            interval: interval, paper: paper, isComparable: isPapersSetting && isComparable(images),
            isPartial: isPartial, note: note, terms: terms)
    }

    /// A mean with its interval.
    /// - Parameter places: where `unit` is an image, the indices of those that the values are of; nil for the first of the set.
    func mean(
        _ name: String, _ subject: Subject, _ values: [Double], of images: ImageSet, at places: [Int]? = nil, over unit: String = "image",
        unit metricUnit: String = "share", higherIsBetter: Bool = true, paper: Metric.PaperValue? = nil,
        isPapersSetting: Bool = true, note: String? = nil
    ) -> Metric {
        let places = places ?? Array(values.indices)
        precondition(places.count == values.count, "\(values.count) values of \(places.count) images")
        return metric(
            name, subject, values.mean, of: images, n: values.count, unit: metricUnit, higherIsBetter: higherIsBetter,
            interval: bootstrap(over: unit).interval(ofMean: values), paper: paper, isPapersSetting: isPapersSetting, note: note,
            terms: unit == "image" ? ImageTerms(of: images, zip(places, values).map { .init(image: $0, numerator: $1) }) : nil)
    }

    /// A quantile with its interval.
    func quantile(
        _ name: String, _ subject: Subject, _ probability: Double, _ values: [Double], of images: ImageSet,
        over unit: String = "image", unit metricUnit: String = "share", higherIsBetter: Bool = true, note: String? = nil
    ) -> Metric {
        metric(
            name, subject, Quantile.of(values.sorted(), probability), of: images, n: values.count, unit: metricUnit,
            higherIsBetter: higherIsBetter, interval: bootstrap(over: unit).interval(ofQuantile: probability, of: values),
            note: note)
    }

    /// A share of images, such as an accuracy, with its interval.
    func share(
        _ name: String, _ subject: Subject, _ values: [Bool], of images: ImageSet, at places: [Int]? = nil,
        paper: Metric.PaperValue? = nil, isPapersSetting: Bool = true, note: String? = nil
    ) -> Metric {
        mean(
            name, subject, values.map { $0 ? 1 : 0 }, of: images, at: places, paper: paper, isPapersSetting: isPapersSetting, note: note)
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
