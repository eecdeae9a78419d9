/// One measured number, with everything needed to judge it.
public struct Metric: Hashable, Sendable, Codable {
    public enum Status: String, Sendable, Codable, CaseIterable {
        case ok, nan, inf
        /// Measured over nothing.
        case empty
        case failed
        case notRun = "not_run"
    }

    /// Where the number stands to the paper's.
    public enum Verdict: String, Sendable, Codable, CaseIterable {
        /// The paper's value, give or take its rounding, lies in the interval.
        case match
        case differs
        /// Another model, other data or a part of the data.
        case notComparable = "not comparable"
        case noPaperValue = "no paper value"
    }

    /// An interval that holds the true value with a probability of `level`.
    public struct Interval: Hashable, Sendable, Codable {
        public var lower: Double
        public var upper: Double
        public var level: Double
        /// Such as `percentile bootstrap`.
        public var method: String
        /// How often was drawn, and by which seed; nil for an interval by formula.
        public var replicates: Int?
        public var seed: UInt64?
        /// What is drawn again or counted, such as `image`.
        public var resamplingUnit: String

        public init(
            lower: Double, upper: Double, level: Double, method: String, replicates: Int? = nil,
            seed: UInt64? = nil, resamplingUnit: String
        ) {
            self.lower = lower
            self.upper = upper
            self.level = level
            self.method = method
            self.replicates = replicates
            self.seed = seed
            self.resamplingUnit = resamplingUnit
        }

        /// The part of it that a number can have.
        public func clipped(to bounds: ClosedRange<Double>) -> Interval {
            var clipped = self
            (clipped.lower, clipped.upper) = (max(lower, bounds.lowerBound), min(upper, bounds.upperBound))
            return clipped
        }
    }

    /// A value that a paper prints.
    public struct PaperValue: Hashable, Sendable, Codable {
        public var value: Double
        /// Where it is printed, such as `Table 4, row 8`.
        public var source: String
        /// Half a unit of the last digit printed.
        public var halfUnit: Double

        public init(_ value: Double, source: String, halfUnit: Double) {
            self.value = value
            self.source = source
            self.halfUnit = halfUnit
        }
    }

    // What the number is about.
    public var experiment: String
    /// Name of the spec's file without its extension; nil for a row of a program that did not say it.
    public var spec: String?
    public var world: String
    public var model: String
    public var dataset: String
    public var subject: Subject

    // The number.
    public var name: String
    public var higherIsBetter: Bool
    public var unit: String
    /// nil unless the status is `ok`.
    public private(set) var value: Double?
    public private(set) var status: Status
    /// Units (images) measured, and those left out.
    public var n: Int
    public var skipped: Int
    public var interval: Interval?

    // Its standing.
    public var paper: PaperValue?
    /// Whether model and data are the paper's.
    public var isComparable: Bool
    /// Whether only a part of the data was measured.
    public var isPartial: Bool
    /// Why the number is missing, or what else a reader must know.
    public var note: String?

    /// What every image adds to the number, where it is made so; not part of the row as it is printed.
    public var terms: ImageTerms?

    private enum CodingKeys: CodingKey {
        case experiment, spec, world, model, dataset, subject, name, higherIsBetter, unit, value, status, n, skipped,
            interval
        case paper, isComparable, isPartial, note
    }

    /// A measured number; its status follows from `value` and `n`.
    public init(
        experiment: String, world: String, model: String, dataset: String, subject: Subject,
        name: String, value: Double, unit: String = "", higherIsBetter: Bool = true, n: Int,
        skipped: Int = 0, interval: Interval? = nil, paper: PaperValue? = nil,
        isComparable: Bool = false, isPartial: Bool = false, note: String? = nil, terms: ImageTerms? = nil
    ) {
        self.experiment = experiment
        self.world = world
        self.model = model
        self.dataset = dataset
        self.subject = subject
        self.name = name
        self.higherIsBetter = higherIsBetter
        self.unit = unit
        self.n = n
        self.skipped = skipped
        self.paper = paper
        self.isComparable = isComparable
        self.isPartial = isPartial
        self.note = note
        self.terms = terms
        status = n == 0 ? .empty : value.isNaN ? .nan : value.isInfinite ? .inf : .ok
        self.value = status == .ok ? value : nil
        self.interval = status == .ok ? interval : nil
    }

    /// The row without its number, for one that failed or was not run.
    public func without(_ status: Status, because note: String?) -> Metric {
        var row = self
        row.value = nil
        row.interval = nil
        row.terms = nil
        row.status = status == .ok ? .failed : status
        row.note = note
        return row
    }

    /// A number without an interval is compared as it stands.
    public var verdict: Verdict {
        guard let paper else { return .noPaperValue }
        guard let value, isComparable, !isPartial else { return .notComparable }
        let lower = interval?.lower ?? value
        let upper = interval?.upper ?? value
        let overlaps =
            paper.value - paper.halfUnit <= upper && paper.value + paper.halfUnit >= lower
        return overlaps ? .match : .differs
    }
}

/// What a number is about, as columns in an order that a reader expects: layer, condition, method …
///
/// ```swift
/// let subject: Subject = ["layer": "9", "condition": "without large norms"]
/// ```
public struct Subject: Hashable, Sendable, Codable, ExpressibleByDictionaryLiteral {
    public struct Column: Hashable, Sendable, Codable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var columns: [Column]

    public init(_ columns: [Column]) {
        self.columns = columns
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        columns = elements.map { Column($0, $1) }
    }

    /// The value of a column, nil where there is none of that name.
    public subscript(_ name: String) -> String? {
        columns.first { $0.name == name }?.value
    }
}
