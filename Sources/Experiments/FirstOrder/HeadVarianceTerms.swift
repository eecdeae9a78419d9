import DenseMath
import Lens
import Pipeline
import Safetensors

/// What each fit image adds to the variance of each head, in all and within the spans of ``TextSpans``.
struct HeadVarianceTerms: Artefact {
    let heads: Int
    /// Texts asked for of each head.
    let texts: Int
    /// ‖e − ē‖²; of the projection of e − ē onto the span of the first text, the first two, … all; onto that of
    /// the random texts; onto that of the principal directions. // [images, heads, 3 + texts]
    private(set) var values: [Float] = []

    /// Numbers of an image and head.
    var columns: Int { 3 + texts }
    var images: Int { heads > 0 ? values.count / (heads * columns) : 0 }

    // Places of the numbers.
    static let whole = 0
    /// - Parameter texts: of the first ones, 1 or more.
    static func along(texts: Int) -> Int { texts }
    var alongRandomTexts: Int { texts + 1 }
    var alongPrincipalDirections: Int { texts + 2 }

    /// Of no images.
    init(heads: Int, texts: Int) {
        self.heads = heads
        self.texts = texts
    }

    init(_ stored: StoredArtefact) throws {
        let terms = try stored.numbers("terms", dimensions: 3)
        guard terms.shape[1] > 0, terms.shape[2] > 3 else {
            throw PipelineError.invalidArtefact(part: "terms", reason: "shape \(terms.shape)")
        }
        (heads, texts) = (terms.shape[1], terms.shape[2] - 3)
        values = terms.elements
    }

    func stored() throws -> StoredArtefact {
        .tensors(["terms": try StoredTensor(values, shape: [images, heads, columns])])
    }

    /// Adds the images that follow.
    mutating func append(_ next: HeadVarianceTerms) {
        precondition(next.heads == heads && next.texts == texts)
        values += next.values
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

    /// The numbers of a head, one row an image. // [images][columns]
    func rows(ofHead head: Int) -> [[Double]] {
        (0..<images).map { image in
            let start = (image * heads + head) * columns
            return values[start..<start + columns].map(Double.init)
        }
    }

    /// ‖e − ē‖² of every head, one row an image. // [images][heads]
    var lengths: [[Double]] {
        (0..<images).map { image in (0..<heads).map { Double(values[(image * heads + $0) * columns + Self.whole]) } }
    }
}

enum HeadVarianceTermsStep {
    static func add(
        _ study: Study, effects fitted: StepHandle<FittedDirectEffects>, spans: StepHandle<TextSpans>, count: Int,
        in graph: inout Graph
    ) throws -> StepHandle<HeadVarianceTerms> {
        let (model, images) = (study.model, study.fit)
        let none = HeadVarianceTerms(
            heads: model.configuration.vision.layers * model.configuration.vision.heads, texts: count)
        return try graph.add(
            Step(
                kind: "head-variance-terms", version: 1, inputs: [images.images.erased, fitted.erased, spans.erased],
                digests: ["model": model.digest], memory: model.headProjectionMemory(of: none, images: images.count), cost: model.passCost(towers: 2),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let (reader, paths) = (ImageReader(try inputs[images.images]), try model.paths.value())
                        let effects = DirectEffects(try model.clip.value().vision, paths: paths, capacity: model.batch)
                        let projections = HeadProjections(
                            means: try inputs[fitted].moments.means(paths), directions: try inputs[spans].directions,
                            capacity: model.batch)
                        return { shard in
                            var part = none
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, effects, inputs) { _ in
                                projections.update(effects)
                                part.append(projections, batch: effects.batch)
                            }
                            return part
                        }
                    },
                    reduce: { _, shards in
                        var all = none
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
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
    /// Of all heads, one span after the other. // [heads, spans · count, d]
    var directions: Tensor {
        let d = heads.first?.directions.shape[2] ?? 0
        return Tensor(
            shape: [heads.count, Span.allCases.count * count, d], elements: heads.flatMap(\.directions.elements))
    }
}

extension ModelUnderStudy {
    /// Memory of a pass that projects what every head writes onto its spans, in bytes.
    fileprivate func headProjectionMemory(of terms: HeadVarianceTerms, images: Int) -> MemoryEstimate {
        let d = configuration.embeddingWidth
        let directions = TextSpans.Span.allCases.count * terms.texts
        var estimate = directEffectMemory()
        estimate.perWorker += 4 * terms.heads * (directions * d + batch * (d + directions + 1))
        // The numbers of all images: as they are joined, and as bytes on their way to the disk.
        estimate.shared += 3 * 4 * images * terms.heads * terms.columns
        return estimate
    }
}
