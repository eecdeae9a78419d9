import DenseMath
import Lens
import Pipeline

/// What each fit image adds to the variance of each head, in all and within the spans of ``TextSpans``.
struct HeadVarianceTerms: ColumnTable {
    private(set) var heads = 0
    /// Texts asked for of each head.
    private(set) var texts = 0
    /// ‖e − ē‖²; of the projection of e − ē onto the span of the first text, the first two, … all; onto that of
    /// the random texts; onto that of the principal directions. // [images, heads, 3 + texts]
    private(set) var values: [Float] = []

    /// Numbers of an image and head.
    var numbers: Int { 3 + texts }
    var images: Int { heads > 0 ? values.count / (heads * numbers) : 0 }

    static let columns: [Column<Self>] = [
        .shared("heads", \.heads), .shared("texts", \.texts), .rows("terms", \.values) { [$0.heads, $0.numbers] },
    ]

    // Places of the numbers.
    static let whole = 0
    /// - Parameter texts: of the first ones, 1 or more.
    static func along(texts: Int) -> Int { texts }
    var alongRandomTexts: Int { texts + 1 }
    var alongPrincipalDirections: Int { texts + 2 }

    init() {}
    /// The terms of no images, to which others are added.
    init(heads: Int, texts: Int) {
        self.heads = heads
        self.texts = texts
    }

    /// Adds the images of a batch that follow.
    /// - Parameter projections: onto the directions of ``TextSpans``.
    mutating func append(_ projections: HeadProjections, batch: Int) {
        for row in 0..<batch * heads {
            let squares = projections.squares.base + row * TextSpans.Span.allCases.count * texts
            func sum(_ span: TextSpans.Span) -> Float {
                (0..<texts).reduce(0) { $0 + squares[span.rawValue * texts + $1] }
            }
            values.append(projections.lengths.base[row])
            var alongTexts = Float(0)
            for text in 0..<texts {
                alongTexts += squares[TextSpans.Span.texts.rawValue * texts + text]
                values.append(alongTexts)
            }
            values += [sum(.randomTexts), sum(.principalDirections)]
        }
    }

    /// The numbers of a head, one row an image. // [images][numbers]
    func rows(ofHead head: Int) -> [[Double]] {
        (0..<images).map { image in
            let start = (image * heads + head) * numbers
            return values[start..<start + numbers].map(Double.init)
        }
    }

    /// ‖e − ē‖² of every head, one row an image. // [images][heads]
    var lengths: [[Double]] {
        (0..<images).map { image in (0..<heads).map { Double(values[(image * heads + $0) * numbers + Self.whole]) } }
    }
}

/// Measures ``HeadVarianceTerms``.
struct HeadVarianceTermsStep: ImageStep {
    typealias Output = HeadVarianceTerms
    static let (kind, version) = ("head-variance-terms", 2)

    let model: StudyModel
    let images: ImageSource
    let effects: StepHandle<FittedDirectEffects>
    let spans: StepHandle<TextSpans>
    /// Texts asked for of each head.
    let count: Int

    var inputs: [AnyStepHandle] { [effects.erased, spans.erased] }
    var memory: MemoryEstimate? { model.headProjectionMemory(of: none, images: images.count) }
    var cost: CostEstimate? { model.passCost(towers: 1.5) }
    var none: HeadVarianceTerms {
        HeadVarianceTerms(heads: model.configuration.vision.layers * model.configuration.vision.heads, texts: count)
    }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<HeadVarianceTerms> {
        let paths = try model.paths.value()
        let workspace = DirectEffectsWorkspace(
            try model.clip.value().vision, paths: paths, capacity: model.batch)
        let projections = HeadProjections(
            means: try inputs[effects].moments.means(paths), directions: try inputs[spans].directions,
            capacity: model.batch)
        return images.batches(workspace) { terms, effects, _ in
            projections.update(effects)
            terms.append(projections, batch: effects.batch)
        }
    }
}

extension HeadMoments {
    /// ē of every head. // [L · H, d]
    func means(_ paths: ValueOutputPaths) -> Tensor {
        let rows = (0..<headCount).map { mean(of: $0, paths).map(Float.init) }
        return Tensor(shape: [headCount, rows.first?.count ?? 0], elements: rows.flatMap { $0 })
    }
}

extension TextSpans {
    /// Directions of all heads, those of a head one span after the other. // [heads, spans · count, d]
    var directions: Tensor {
        let d = heads.first?.directions.shape[2] ?? 0
        return Tensor(
            shape: [heads.count, Span.allCases.count * count, d], elements: heads.flatMap(\.directions.elements))
    }
}

extension StudyModel {
    /// Memory of a pass that projects what every head writes onto its spans, in bytes.
    fileprivate func headProjectionMemory(of terms: HeadVarianceTerms, images: Int) -> MemoryEstimate {
        let d = configuration.embeddingWidth
        let directions = TextSpans.Span.allCases.count * terms.texts
        var estimate = directEffectMemory()
        estimate.perWorker += 4 * terms.heads * (directions * d + batch * (d + directions + 1))
        // The numbers of all images: as they are joined, and as bytes on their way to the disk.
        estimate.shared += 3 * 4 * images * terms.heads * terms.numbers
        return estimate
    }
}

/// 95 % intervals of what is said about the variances of heads, by drawing fit images again.
///
/// Texts, directions and means stay those of all images: an interval says how a share varies with the images
/// that it is measured on, not what other images would have chosen. That a replicate's own mean would be nearer
/// to its images lowers a variance by one part in the number of images, and a share by less.
struct HeadVarianceIntervals: Sendable {
    struct Head: Sendable {
        let variance: Metric.Interval?
        /// The head's share of the variance of all heads.
        let share: Metric.Interval?
        /// Explained by the first text, the first two, ….
        let texts: [Metric.Interval?]
        let randomTexts: Metric.Interval?
        let principalDirections: Metric.Interval?
    }

    /// All heads, layer by layer.
    let heads: [Head]

    init(_ terms: HeadVarianceTerms, bootstrap: Bootstrap) {
        let shares = bootstrap.intervals(
            ofSums: terms.lengths, (0..<terms.heads).map { head in { $0[head] / $0.reduce(0, +) } })
        let images = Double(terms.images)
        let explained = 1..<terms.numbers
        heads = shares.enumerated().map { head, share in
            let intervals = bootstrap.intervals(
                ofSums: terms.rows(ofHead: head),
                [{ $0[HeadVarianceTerms.whole] / images }]
                    + explained.map { column in { $0[column] / $0[HeadVarianceTerms.whole] } })
            return Head(
                variance: intervals[HeadVarianceTerms.whole], share: share,
                texts: (1...terms.texts).map { intervals[HeadVarianceTerms.along(texts: $0)] },
                randomTexts: intervals[terms.alongRandomTexts],
                principalDirections: intervals[terms.alongPrincipalDirections])
        }
    }
}
