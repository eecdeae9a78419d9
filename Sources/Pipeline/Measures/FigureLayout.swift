/// How numbers are drawn as a plot: which number stands at which point. As in a ``TableLayout``, measured numbers
/// come from the rows of the results, with their intervals.
public struct FigureLayout: Sendable, Hashable, Codable {
    public enum Height: Sendable, Hashable, Codable {
        /// A metric by its name and subject.
        case metric(String, Subject)
        /// A number that no row has, such as one point of a long curve.
        case number(Double)
    }

    public struct Point: Sendable, Hashable, Codable {
        public var x: Double
        public var y: Height

        public init(_ x: Double, _ y: Height) {
            self.x = x
            self.y = y
        }
    }

    public struct Curve: Sendable, Hashable, Codable {
        public var title: String
        /// In the order in which they are joined.
        public var points: [Point]

        public init(_ title: String, _ points: [Point]) {
            self.title = title
            self.points = points
        }
    }

    public struct Axis: Sendable, Hashable, Codable {
        public var title: String
        /// Shares, which people read as per cent.
        public var isShare: Bool
        /// Powers of two are equally far apart.
        public var isLogarithmic: Bool
        public var startsAtZero: Bool

        public init(_ title: String, isShare: Bool = false, isLogarithmic: Bool = false, startsAtZero: Bool = false) {
            self.title = title
            self.isShare = isShare
            self.isLogarithmic = isLogarithmic
            self.startsAtZero = startsAtZero
        }
    }

    public var title: String
    public var x: Axis
    public var y: Axis
    public var curves: [Curve]
    /// A number that all curves are read against, drawn across: its name and where it is.
    public var reference: Curve?
    /// Where the points of each curve are few enough to be seen one by one.
    public var hasMarks: Bool
    public var note: String

    public init(
        title: String, x: Axis, y: Axis, curves: [Curve], reference: Curve? = nil, hasMarks: Bool = true,
        note: String = ""
    ) {
        self.title = title
        self.x = x
        self.y = y
        self.curves = curves
        self.reference = reference
        self.hasMarks = hasMarks
        self.note = note
    }
}

extension FigureLayout.Curve {
    /// How many of the values lie in each of equal bins over `range`, as shares: a distribution. Values outside count
    /// in the first and last bin; there is no point where there are no values.
    public init(_ title: String, distributionOf values: [Double], over range: ClosedRange<Double>, bins: Int) {
        let width = (range.upperBound - range.lowerBound) / Double(bins)
        var counts = [Int](repeating: 0, count: bins)
        let finite = values.filter(\.isFinite)
        for value in finite {
            counts[Int(min(Double(bins - 1), max(0, (value - range.lowerBound) / width)))] += 1
        }
        self.init(
            title,
            finite.isEmpty
                ? []
                : counts.enumerated().map { bin, count in
                    .init(range.lowerBound + (Double(bin) + 0.5) * width, .number(Double(count) / Double(finite.count)))
                })
    }
}
