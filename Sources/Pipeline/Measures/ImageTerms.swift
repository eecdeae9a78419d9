/// What every image adds to a number, so that two runs can be compared image by image:
///
///     number = mean over parts of  Σ numerators / Σ denominators
///
/// A mean over images has one part and denominators of 1; a mean IoU over classes has a part for each class,
/// with the pixels in the intersection and in the union.
public struct ImageTerms: Hashable, Sendable {
    public struct Term: Hashable, Sendable {
        /// Index into ``images``.
        public var image: Int
        /// Index into ``parts``.
        public var part: Int
        public var numerator: Double
        public var denominator: Double

        public init(image: Int, part: Int = 0, numerator: Double, denominator: Double = 1) {
            (self.image, self.part, self.numerator, self.denominator) = (image, part, numerator, denominator)
        }
    }

    /// Those that add something, sorted. Data set, split and index, or a path, as in ``Prediction``.
    public let images: [String]
    /// Such as the names of classes.
    public let parts: [String]
    /// By image, then by part; none is zero.
    public let terms: [Term]

    /// - Parameter images: those that the terms point to, and others perhaps.
    /// - Returns: nil where a term is not finite: then the number is none either.
    /// - Precondition: terms name images and parts that there are.
    public init?(images: [String], parts: [String] = [""], _ terms: [Term]) {
        precondition(terms.allSatisfy { images.indices.contains($0.image) && parts.indices.contains($0.part) })
        guard terms.allSatisfy({ $0.numerator.isFinite && $0.denominator.isFinite }) else { return nil }
        let counted = terms.filter { $0.numerator != 0 || $0.denominator != 0 }
        var isCounted = [Bool](repeating: false, count: images.count)
        for term in counted { isCounted[term.image] = true }
        let order = images.indices.filter { isCounted[$0] }.sorted { images[$0] < images[$1] }
        var places = [Int](repeating: 0, count: images.count)
        for (place, image) in order.enumerated() { places[image] = place }
        let placed = counted.map {
            Term(image: places[$0.image], part: $0.part, numerator: $0.numerator, denominator: $0.denominator)
        }
        self.images = order.map { images[$0] }
        self.parts = parts
        if placed.count == order.count {
            // One of each image, as of a mean: nothing is to be compared.
            var sorted = placed
            for term in placed { sorted[term.image] = term }
            self.terms = sorted
        } else {
            self.terms = placed.sorted { ($0.image, $0.part) < ($1.image, $1.part) }
        }
    }

    /// The number; NaN where no part has a denominator.
    public var value: Double { value(timesEach: nil) }

    /// One value an image, where the number is their mean; nil where it is another ratio. // [images]
    var meanValues: [Double]? {
        guard parts.count == 1, terms.count == images.count, terms.allSatisfy({ $0.denominator == 1 }) else {
            return nil
        }
        return terms.map(\.numerator)
    }

    /// The number of a sample in which the i-th image stands `draws[i]` times. A part that no image of the sample adds
    /// to does not count.
    func value(timesEach draws: [Int32]?) -> Double {
        var sums = [SIMD2<Double>](repeating: .zero, count: parts.count)
        for term in terms {
            let times = draws.map { Double($0[term.image]) } ?? 1
            sums[term.part] += times * SIMD2(term.numerator, term.denominator)
        }
        let ratios = sums.filter { $0.y != 0 }.map { $0.x / $0.y }
        return ratios.reduce(0, +) / Double(ratios.count)
    }
}
